import type { JsonObject, JsonValue } from '../../protocols/json'
import { isRecord } from '../../std/record'
import type { Failure } from '../protocol'

/** The models that demand their signatures back. */
const SIGNING_MODEL = /^gemini-3/

/**
 * What Gemini 3 answers to a history in which a step's first function call has lost its signature; the
 * documented placeholder `skip_thought_signature_validator` is a signature like any other here.
 * https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export function missingSignature(body: JsonObject, model: string): Failure | undefined {
  if (!SIGNING_MODEL.test(model)) return undefined
  for (const [index, content] of listOf(body, 'contents').entries()) {
    const call = listOf(content, 'parts').find(isCall)
    if (!call || isSigned(call)) continue
    const { functionCall } = call
    const name = isRecord(functionCall) ? functionCall['name'] : undefined
    return {
      status: 400,
      code: null,
      message:
        'Function call is missing a thought_signature in functionCall parts. This is required for tools ' +
        'to work correctly, and missing thought_signature may lead to degraded model performance. ' +
        `Additional data, function call \`default_api:${String(name)}\` , position ${index + 1}. Please refer ` +
        'to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.',
    }
  }
  return undefined
}

function isCall(part: JsonValue): part is JsonObject {
  return isRecord(part) && part['functionCall'] !== undefined
}

function isSigned(part: JsonObject): boolean {
  const signature = part['thoughtSignature'] ?? part['thought_signature']
  return typeof signature === 'string' && signature !== ''
}

function listOf(value: JsonValue | undefined, name: string): JsonValue[] {
  const list = isRecord(value) ? value[name] : undefined
  return Array.isArray(list) ? list : []
}
