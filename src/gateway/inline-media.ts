import { GatewayError } from '../errors/gateway-error'
import type { Generation, MediaPart, Part } from '../protocols/generation'
import type { FetchMedia } from '../providers/fetch-media'

/** Formats that take pictures in the request alone. */
const WANTS_BYTES: ReadonlySet<string> = new Set(['bedrock-converse', 'ollama-chat'])

/** More pictures of one request are not fetched. */
const MOST_PICTURES = 20

type Picture = MediaPart & { data: { url: string } }

/** Whether a format has to have the pictures of a chat in the request, and some of them are elsewhere. */
export function wantsMedia(dialect: string, generation: Generation): boolean {
  return (
    WANTS_BYTES.has(dialect) && generation.messages.some(({ parts }) => parts.some(isElsewhere))
  )
}

/** The chat with its pictures fetched. Rejects with `invalid_request` where one can't be had. */
export async function inlineMedia(
  generation: Generation,
  fetchMedia: FetchMedia
): Promise<Generation> {
  const pictures = generation.messages.flatMap(({ parts }) => parts.filter(isElsewhere))
  const urls = [...new Set(pictures.map(({ data }) => data.url))]
  if (urls.length > MOST_PICTURES)
    throw new GatewayError(
      'invalid_request',
      `at most ${MOST_PICTURES} pictures are fetched for one request, and this one has ${urls.length}`,
      { param: 'messages' }
    )
  const fetched = new Map(
    await Promise.all(urls.map(async (url) => [url, await fetchMedia(url)] as const))
  )
  const withBytes = (part: Part): Part => {
    const found = isElsewhere(part) ? fetched.get(part.data.url) : undefined
    if (found === undefined || part.type !== 'media') return part
    const { source: _source, ...rest } = part
    return { ...rest, data: { base64: found.base64 }, mimeType: found.mimeType }
  }
  const messages = generation.messages.map((message) =>
    message.parts.some(isElsewhere)
      ? Object.assign({}, message, { parts: message.parts.map(withBytes) })
      : message
  )
  return { ...generation, messages }
}

function isElsewhere(part: Part): part is Picture {
  return (
    part.type === 'media' &&
    part.media === 'image' &&
    'url' in part.data &&
    /^https?:/i.test(part.data.url)
  )
}
