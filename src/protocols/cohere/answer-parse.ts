import { GatewayError } from '../../errors/gateway-error'
import { isRecord, stringOf } from '../../std/record'
import type { Answer, TokenLogprob } from '../answer'
import type { Part } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { toErrorInAnswer } from './errors'
import { parseFinish } from './finish'
import { asList, asObject, ownSource } from './own'
import { parseAssistant } from './parts'
import { parseUsage } from './usage'

/**
 * Reads a whole answer of POST /v2/chat; throws `upstream_malformed`, and `upstream_refused` where the provider gave
 * it up. https://docs.cohere.com/v2/reference/chat
 */
export function parseChatAnswer(json: JsonValue): Answer {
  const answer = asObject(json)
  const error = toErrorInAnswer(answer)
  if (error) throw error
  const message = asObject(answer?.message)
  if (answer === undefined || message === undefined)
    throw new GatewayError('upstream_malformed', 'the provider answered 200 with no message')
  const finish = parseFinish(stringOf(answer, 'finish_reason') ?? '', stringOf(answer, 'error'))
  const logprobs = asList(answer.logprobs).flatMap(parseLogprob)
  return {
    id: stringOf(answer, 'id'),
    choices: [{ parts: parseMessage(message), finish, ...(logprobs.length > 0 && { logprobs }) }],
    usage: parseUsage(answer.usage),
    source: ownSource(answer),
  }
}

/** A message that is not of the format is the provider's fault here, and no request's. */
function parseMessage(message: JsonObject): Part[] {
  try {
    return parseAssistant(message, 'message').filter(
      (part) => !('text' in part) || part.text !== ''
    )
  } catch (error) {
    const { message: reason } = GatewayError.from(error)
    throw new GatewayError(
      'upstream_malformed',
      `the provider answered 200 with what is no message: ${reason}`,
      { cause: error }
    )
  }
}

/**
 * An item is a piece of text of one token or several; the logarithms of several add up to that of the piece. Nothing
 * is said of other tokens.
 */
export function parseLogprob(item: unknown): TokenLogprob[] {
  const token = stringOf(item, 'text')
  const values: unknown = isRecord(item) ? item.logprobs : undefined
  if (token === undefined || !Array.isArray(values)) return []
  let logprob = 0
  for (const value of values) {
    if (typeof value !== 'number') return []
    logprob += value
  }
  return values.length === 0 ? [] : [{ token, logprob, top: [] }]
}
