import { stringOf } from '../../std/record'
import type { TokenLogprob } from '../answer'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { asList, asObject } from './members'

/** `logprobsResult` of a candidate: https://ai.google.dev/api/generate-content#LogprobsResult */
export function parseLogprobs(candidate: JsonObject): TokenLogprob[] {
  const result = asObject(candidate.logprobsResult)
  const others = asList(result?.topCandidates)
  return asList(result?.chosenCandidates).flatMap((json, index) => {
    const token = parseToken(json)
    if (token === undefined) return []
    const top = asList(asObject(others[index])?.candidates).flatMap(
      (other) => parseToken(other) ?? []
    )
    return [{ ...token, top }]
  })
}

function parseToken(json: JsonValue): { token: string; logprob: number } | undefined {
  const token = stringOf(json, 'token')
  const logprob = asObject(json)?.logProbability ?? 0
  if (token === undefined || typeof logprob !== 'number') return undefined
  return { token, logprob }
}

/** `logprobsResult`. The bytes of tokens have no place; they are reported at `path`. */
export function renderLogprobs(
  tokens: readonly TokenLogprob[],
  path: string,
  losses: Losses
): JsonObject {
  const toToken = ({ token, logprob, bytes }: Omit<TokenLogprob, 'top'>): JsonObject => {
    if (bytes) losses.drop(`${path}.logprobs.bytes`)
    return { token, logProbability: logprob }
  }
  return {
    chosenCandidates: tokens.map(toToken),
    ...(tokens.some(({ top }) => top.length > 0) && {
      topCandidates: tokens.map(({ top }) => ({ candidates: top.map(toToken) })),
    }),
  }
}
