import { z } from 'zod'
import { CREATED_SECONDS } from '../created'
import { drawPicture } from '../picture'
import { isRecord, stringOf } from '../../std/record'
import type { Call, Endpoint, Frame } from '../protocol'
import { textFrame } from '../protocol'
import { countTokens } from '../tokens'
import { postEndpoint, refuse } from './endpoint'

/** What an image of the usual size takes: https://platform.openai.com/docs/guides/image-generation#cost-and-latency */
const TOKENS: Readonly<Record<string, number>> = { low: 272, medium: 1056, high: 4160, auto: 1056 }

const requestSchema = z.looseObject({
  prompt: z.string().min(1),
  n: z.int().min(1).max(10).nullish(),
  quality: z.string().nullish(),
  response_format: z.enum(['b64_json', 'url']).nullish(),
  stream: z.boolean().nullish(),
  partial_images: z.int().min(0).max(3).nullish(),
})

type ImageRequest = z.infer<typeof requestSchema>

/** `POST /v1/images/generations`: small pictures, and usage unless the model is a `dall-e`. */
export const imagesEndpoint = postEndpoint(requestSchema, (request, call) =>
  answerImages(request, call, 'image_generation')
)

/** `POST /v1/images/edits` and `/variations`, of a form or of JSON. */
export const imageEditsEndpoint: Endpoint = {
  method: 'POST',
  model: (_, body) => stringOf(body, 'model') ?? '',
  answer(call) {
    const { form, body } = call
    if (form && form.files.length === 0) return refuse('No image was sent.', 'image')
    const fields = isRecord(body) ? body : {}
    const count = (name: string) =>
      typeof fields[name] === 'string' ? Number(fields[name]) : undefined
    const request = {
      prompt: stringOf(fields, 'prompt') ?? form?.files[0]?.name ?? 'an image',
      ...{ n: count('n'), partial_images: count('partial_images') },
      ...{ quality: stringOf(fields, 'quality'), stream: stringOf(fields, 'stream') === 'true' },
    }
    return answerImages(request, call, 'image_edit')
  },
}

/** The same for what draws by other means. `events` begins the names of a stream's events. */
export function answerImages(request: ImageRequest, call: Call, events: string) {
  if (request.stream === true)
    return { kind: 'stream', frames: [...imageFrames(request, call, events)] } as const
  const { prompt, n, response_format: format } = request
  const isUrl = format === 'url' || (call.model.startsWith('dall-e') && format !== 'b64_json')
  const data = Array.from({ length: n ?? 1 }, (_, index) =>
    isUrl
      ? { url: `https://images.invalid/${index}.png`, revised_prompt: prompt }
      : { b64_json: pictureOf(prompt, index) }
  )
  const body = { created: CREATED_SECONDS, data, ...usageOf(request, call, data.length) }
  return { kind: 'whole', text: JSON.stringify(body), tokens: 1 } as const
}

function* imageFrames(request: ImageRequest, call: Call, events: string): Generator<Frame> {
  const { prompt, partial_images: partials } = request
  const drawn = { created_at: CREATED_SECONDS, output_format: 'png', size: '1024x1024' }
  for (let index = 0; index < (partials ?? 0); index++)
    yield eventFrame('content', `${events}.partial_image`, {
      b64_json: pictureOf(prompt, index),
      partial_image_index: index,
      ...drawn,
    })
  yield eventFrame('finish', `${events}.completed`, {
    b64_json: pictureOf(prompt, 0),
    ...drawn,
    ...usageOf(request, call, 1),
  })
}

/** An event of the newer endpoints: its type is its name too. */
export function eventFrame(part: 'content' | 'finish', type: string, members: object): Frame {
  const data = JSON.stringify({ type, ...members })
  return textFrame(part, `event: ${type}\ndata: ${data}\n\n`, 1)
}

function pictureOf(prompt: string, index: number): string {
  return Buffer.from(drawPicture(`${prompt} ${index}`)).toString('base64')
}

function usageOf({ prompt, quality }: ImageRequest, call: Call, images: number) {
  if (call.quirks.usage === 'omitted' || call.model.startsWith('dall-e')) return {}
  const text = countTokens(prompt)
  const output = images * (TOKENS[quality ?? 'auto'] ?? 1056)
  return {
    usage: {
      input_tokens: text,
      output_tokens: output,
      total_tokens: text + output,
      input_tokens_details: { text_tokens: text, image_tokens: 0 },
    },
  }
}
