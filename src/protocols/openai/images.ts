import { countJsonElements } from '../../std/json-walk'
import type { Envelope } from '../envelope'
import type { AnswerFacts, Protocol, RequestRoute } from '../protocol'
import { addUsage, NO_USAGE, type Usage } from '../usage'
import { scanAnswer } from './answer'
import { MediaFrameReader } from './media-frames'
import { createOpenaiProtocol } from './openai-protocol'
import { parseRequest, readStream, scanMembers } from './request'
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
