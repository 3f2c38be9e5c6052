import { stringOf } from '../../std/record'
import type { Answer, TokenLogprob } from '../answer'
import type { Part } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { parseLogprobs } from './content'
import { isFailure, toResponseError } from './errors'
import { parseFinish } from './finish'
import { malformed } from './frames'
import { isMessage, parseOutputItem } from './items'
import { asList, asNumber, asObject, ownSource } from './responses-json'
import { toUsage } from './usage'

/** What a response says of itself before it has said anything. */
export type ResponseHead = Pick<Answer, 'id' | 'model' | 'createdAt' | 'serviceTier'>

/** Reads the head of a whole response, or of one that has just begun. */
export function parseHead(response: JsonObject): ResponseHead {
  return {
    id: stringOf(response, 'id'),
    model: stringOf(response, 'model'),
    createdAt: asNumber(response.created_at),
    serviceTier: stringOf(response, 'service_tier'),
  }
}

/**
 * Reads a whole response. Throws `upstream_malformed` for what is none, and `upstream_refused` for one that
 * failed. https://platform.openai.com/docs/api-reference/responses/object
 */
export function parseChatAnswer(json: JsonValue): Answer {
  const response = asObject(json)
  if (response === undefined) throw malformed(JSON.stringify(json))
  if (isFailure(response)) throw toResponseError(response)
  if (!Array.isArray(response.output)) throw malformed(JSON.stringify(json))
  const parts: Part[] = []
  const logprobs: TokenLogprob[] = []
  for (const entry of response.output) {
    const item = asObject(entry)
    if (item === undefined) throw malformed(JSON.stringify(json))
    parts.push(...parseOutputItem(item))
    if (isMessage(item))
      for (const content of asList(item.content))
        logprobs.push(...parseLogprobs(asObject(content)?.logprobs))
  }
  return {
    ...parseHead(response),
    choices: [
      {
        parts,
        finish: parseFinish(response, parts),
        ...(logprobs.length > 0 && { logprobs }),
      },
    ],
    usage: toUsage(response.usage),
    source: ownSource(response),
  }
}
