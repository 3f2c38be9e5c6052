import { countJsonElements } from '../../std/json-walk'
import type { Envelope } from '../envelope'
import { type Form, renderForm } from '../form'
import type { AnswerFacts, Protocol, RequestRoute } from '../protocol'
import { addUsage, NO_USAGE, type Usage } from '../usage'
import { scanAnswer } from './answer'
import { readFormModel, readFormStream } from './form-fields'
import { MediaFrameReader } from './media-frames'
import { createOpenaiProtocol } from './openai-protocol'
import { invalid, parseRequest, readStream, scanMembers } from './request'
import { toMediaUsage } from './usage'

const decoder = new TextDecoder()

/**
 * More than the largest image of the highest quality takes, 6,240 tokens:
 * https://platform.openai.com/docs/guides/image-generation#cost-and-latency
 */
const MOST_TOKENS_AN_IMAGE = 8_192

/** POST /v1/images/generations: https://platform.openai.com/docs/api-reference/images/create */
export const openaiImages: Protocol = createOpenaiProtocol({
  name: 'openai-images',
  operation: 'image',
  path: '/images/generations',
  parseRequest: parseImageRequest,
  parseAnswer: parseImages,
  createFrameReader: () => new MediaFrameReader(addImage),
})

/** POST /v1/images/edits: https://platform.openai.com/docs/api-reference/images/createEdit */
export const openaiImageEdits: Protocol = createDrawingFrom('openai-image-edits', '/images/edits')

/** POST /v1/images/variations: https://platform.openai.com/docs/api-reference/images/createVariation */
export const openaiImageVariations: Protocol = createDrawingFrom(
  'openai-image-variations',
  '/images/variations'
)

/** More than an image takes that is looked at closely: https://platform.openai.com/docs/guides/images-vision#calculating-costs */
const MOST_TOKENS_A_FILE = 10_000

function createDrawingFrom(name: string, path: string): Protocol {
  return createOpenaiProtocol({
    name,
    operation: 'image',
    path,
    parseRequest: parseImageRequest,
    parseForm,
    renderForm: (form, { model }) => renderForm(form, { model, fallbacks: undefined }),
    parseAnswer: parseImages,
    createFrameReader: () => new MediaFrameReader(addImage),
  })
}

function parseForm(form: Form, route: RequestRoute): Envelope {
  const model = readFormModel(form, route)
  const written = form.field('n') ?? '1'
  if (!/^\d{1,3}$/.test(written)) throw invalid('n', 'must be a whole number')
  const images = Math.max(1, Number(written))
  const { files } = form
  if (files.length === 0) throw invalid('image', 'must be a file of the form')
  return {
    operation: 'image',
    model,
    stream: readFormStream(form),
    includesUsage: true,
    choices: images,
    outputLimit: MOST_TOKENS_AN_IMAGE,
    inputTokens: files.length * MOST_TOKENS_A_FILE + Buffer.byteLength(form.field('prompt') ?? ''),
    units: { images },
    form,
    body: NO_BODY,
    modelSpan: undefined,
    streamOptionsSpan: undefined,
    closeAt: 0,
  }
}

const NO_BODY = new Uint8Array()

/** Reads the envelope of a body that asks for images. Throws `invalid_json` and `invalid_request`. */
export function parseImageRequest(body: Uint8Array, route: RequestRoute): Envelope {
  const envelope = parseRequest('image', body, route)
  const { found } = scanMembers(body, ['stream'])
  return {
    ...envelope,
    stream: readStream(body, found.stream),
    // The last event has it.
    includesUsage: true,
    outputLimit: MOST_TOKENS_AN_IMAGE,
    units: { images: envelope.choices },
  }
}

/** Reads an answer with images without building them. */
export function parseImages(body: Uint8Array): AnswerFacts {
  const { data, usage } = scanAnswer(body, ['data', 'usage'])
  const images = data && countJsonElements(body, data.start)
  const read: unknown = usage && JSON.parse(decoder.decode(body.subarray(usage.start, usage.end)))
  return { usage: withImages(toMediaUsage(read), images), finishReasons: [] }
}

/** The output of what makes images is images, where nobody says more. */
function withImages(usage: Usage | undefined, images: number | undefined): Usage {
  const imageOutputTokens = usage?.imageOutputTokens ?? usage?.outputTokens
  return {
    ...(usage ?? NO_USAGE),
    ...(images !== undefined && { images }),
    ...(imageOutputTokens !== undefined && { imageOutputTokens }),
  }
}

function addImage(event: Record<string, unknown>, before: Usage | undefined): Usage {
  return addUsage(before, withImages(toMediaUsage(event.usage), 1))
}
