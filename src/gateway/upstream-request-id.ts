import type { AnswerHeaders } from '../providers/upstream-response'

/**
 * The id by which an upstream knows a request, of its answer's headers: OpenRouter's generation, by which its bill and
 * `GET /generation` name it, else `x-request-id`, else the header that the upstream's protocol has for it.
 */
export function readUpstreamRequestId(
  headers: AnswerHeaders,
  ownHeader?: string
): string | undefined {
  const names = ['x-generation-id', 'x-request-id', ...(ownHeader === undefined ? [] : [ownHeader])]
  for (const name of names) {
    const id = headers.get(name)
    if (id !== null) return id
  }
  return undefined
}
