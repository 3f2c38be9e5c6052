import { readJsonCount, readJsonString } from '../../std/json-scan'
import type { Envelope, Keeping } from '../envelope'
import { type FoundMembers, invalid, readModel, readStream, scanMembers } from '../openai/request'

/** The members that the gateway reads. */
const READ = [
  'model',
  'stream',
  'max_output_tokens',
  'service_tier',
  'user',
  'fallbacks',
  'previous_response_id',
  'store',
  'background',
  'conversation',
] as const

const FALSE = 0x66
const TRUE = 0x74
const NULL = 0x6e

/**
 * Reads the body of POST /v1/responses in one scan. The format has one answer, and usage in every stream.
 * Throws `invalid_json` and `invalid_request`.
 * https://platform.openai.com/docs/api-reference/responses/create
 */
export function parseRequest(body: Uint8Array): Envelope {
  const { found, closeAt } = scanMembers(body, READ)
  return {
    operation: 'generate',
    model: readModel(body, found),
    stream: readStream(body, found.stream),
    includesUsage: true,
    choices: 1,
    outputLimit: readJsonCount(body, found.max_output_tokens),
    ...(found.service_tier && { serviceTier: readJsonString(body, found.service_tier) }),
    ...(found.user && { user: readJsonString(body, found.user) }),
    ...(found.fallbacks && { fallbacksSpan: found.fallbacks }),
    keeping: readKeeping(body, found),
    body,
    modelSpan: found.model,
    streamOptionsSpan: undefined,
    closeAt,
  }
}

/** Responses are kept unless the request says otherwise. The scan has shown that these are JSON: a letter tells. */
function readKeeping(body: Uint8Array, found: FoundMembers): Keeping {
  const { previous_response_id: previous, store, background, conversation } = found
  if (conversation && body[conversation.start] !== NULL)
    // Whose one is can't be known.
    throw invalid(
      'conversation',
      'is of an API that this gateway does not serve: go on from an answer by previous_response_id'
    )
  return {
    previousId: previous && readJsonString(body, previous),
    isStored: store === undefined || body[store.start] !== FALSE,
    isBackground: background !== undefined && body[background.start] === TRUE,
  }
}
