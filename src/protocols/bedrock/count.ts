import { stringOf } from '../../std/record'
import type { ChatTarget } from '../chat-protocol'
import type { CountCodec } from '../count-protocol'
import type { Generation } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import type { RequestRoute } from '../protocol'
import { asNumber, asObject, defined, invalid, parseJson } from './converse-json'
import { parseGeneration } from './parse-request'
import { renderGeneration } from './render-request'

/** What is counted of a conversation. */
const COUNTED = ['messages', 'system', 'toolConfig', 'additionalModelRequestFields'] as const

/**
 * POST /model/{id}/count-tokens, asked and answered:
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
 */
export const converseCount: CountCodec = {
  name: 'bedrock-count',
  path: ({ model }) => `/model/${encodeURIComponent(model)}/count-tokens`,
  renderRequest(generation: Generation, target: ChatTarget, losses: Losses): JsonObject {
    const body = renderGeneration(generation, target, losses)
    const counted: JsonObject = {}
    for (const name of COUNTED) counted[name] = body[name]
    return { input: { converse: defined(counted) } }
  },
  parse: (answer: JsonValue) => asNumber(asObject(answer)?.inputTokens),
  render: (tokens: number) => ({ inputTokens: tokens }),
}

/**
 * What a question holds: a conversation, or the body of an InvokeModel in base64, which `parseInvoke` reads. Throws
 * `invalid_request` for neither.
 */
export function parseCountRequest(
  body: JsonObject,
  route: RequestRoute,
  parseInvoke: (body: JsonObject, route: RequestRoute) => Generation
): Generation {
  const input = asObject(body.input)
  const converse = asObject(input?.converse)
  if (converse) return parseGeneration(converse, route)
  const encoded = stringOf(input?.invokeModel, 'body')
  if (encoded === undefined) throw invalid('input', 'must hold converse or invokeModel')
  const invoke = asObject(parseJson(Buffer.from(encoded, 'base64').toString()))
  if (invoke === undefined) throw invalid('input.invokeModel.body', 'must be JSON in base64')
  return parseInvoke(invoke, route)
}
