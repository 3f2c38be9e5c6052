import { stringOf } from '../../std/record'
import type { TokenLogprob } from '../answer'
import type { JsonObject, JsonValue } from '../json'
import { asList, asObject } from './own'

/**
 * Reads `logprobs` of an answer, or of a line of one; what is no token is left out.
 * https://docs.ollama.com/api/chat
 */
export function parseLogprobs(answer: JsonObject): TokenLogprob[] {
  return asList(answer.logprobs).flatMap((json) => {
    const token = parseToken(json)
    if (token === undefined) return []
    const top = asList(asObject(json)?.top_logprobs).flatMap((other) => parseToken(other) ?? [])
    return [{ ...token, top }]
  })
}

function parseToken(json: JsonValue): Omit<TokenLogprob, 'top'> | undefined {
  const token = stringOf(json, 'token')
  const logprob = asObject(json)?.logprob
  if (token === undefined || typeof logprob !== 'number') return undefined
  const bytes = asList(asObject(json)?.bytes).filter((byte) => typeof byte === 'number')
  return { token, logprob, ...(bytes.length > 0 && { bytes }) }
}

/** Writes `logprobs`, the same in a whole answer and in a line. https://docs.ollama.com/api/chat */
export function renderLogprobs(tokens: readonly TokenLogprob[]): JsonObject[] {
  return tokens.map(({ top, ...token }) => ({
    ...renderToken(token),
    ...(top.length > 0 && { top_logprobs: top.map(renderToken) }),
  }))
}

function renderToken({ token, logprob, bytes }: Omit<TokenLogprob, 'top'>): JsonObject {
  return { token, logprob, ...(bytes && { bytes }) }
}
