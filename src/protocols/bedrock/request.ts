import { GatewayError } from '../../errors/gateway-error'
import {
  type JsonMember,
  readJsonCount,
  scanJsonObject,
  toLineAndColumn,
} from '../../std/json-scan'
import type { Envelope } from '../envelope'
import type { RequestRoute } from '../protocol'
import { invalid } from './converse-json'

/**
 * Reads the body of POST /model/{id}/converse and converse-stream in one scan; the path says the model and whether the
 * answer is streamed. Throws `invalid_json` and `invalid_request`.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
export function parseConverseRequest(body: Uint8Array, route: RequestRoute): Envelope {
  let inference: JsonMember | undefined
  const closeAt = scanBody(body, ['inferenceConfig'], (member) => {
    inference = member
  })
  let limit: number | undefined
  if (inference) {
    const config = body.subarray(inference.start, inference.end)
    scanJsonObject(config, ['maxTokens'], (member) => {
      limit = readJsonCount(config, member)
    })
  }
  return toEnvelope(body, route, closeAt, limit)
}

/** The names that the families of InvokeModel have for the most tokens of an answer, at the top of their bodies. */
const LIMITS = [
  'max_tokens',
  'max_tokens_to_sample',
  'max_gen_len',
  'max_completion_tokens',
] as const

/**
 * Reads the body of POST /model/{id}/invoke and invoke-with-response-stream, which every family of models has its own
 * shape of. Throws `invalid_json` and `invalid_request`.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
 */
export function parseInvokeRequest(body: Uint8Array, route: RequestRoute): Envelope {
  let limit: number | undefined
  const closeAt = scanBody(body, LIMITS, (member) => {
    limit = readJsonCount(body, member) ?? limit
  })
  return toEnvelope(body, route, closeAt, limit)
}

function scanBody<Name extends string>(
  body: Uint8Array,
  names: readonly Name[],
  visit: (member: JsonMember<Name>) => void
): number {
  const scan = scanJsonObject(body, names, visit)
  if (scan.ok) return scan.closeAt
  const { line, column } = toLineAndColumn(body, scan.position)
  throw new GatewayError(
    'invalid_json',
    `the body is not a JSON object: ${scan.reason} at byte ${scan.position} (line ${line}, column ${column})`
  )
}

/** Usage is part of every stream, so that nothing is ever asked for. */
function toEnvelope(
  body: Uint8Array,
  route: RequestRoute,
  closeAt: number,
  outputLimit: number | undefined
): Envelope {
  if (!route.model) throw invalid('modelId', 'must stand in the path: /model/{modelId}/…')
  return {
    operation: 'generate',
    model: route.model,
    stream: route.stream === true,
    includesUsage: true,
    choices: 1,
    outputLimit,
    body,
    modelSpan: undefined,
    streamOptionsSpan: undefined,
    closeAt,
  }
}
