import { readJsonCount, readJsonString } from '../../std/json-scan'
import type { Envelope } from '../envelope'
import { readModel, readStream, scanMembers } from '../openai/request'

/** The members that the gateway reads. */
const READ = ['model', 'stream', 'max_output_tokens', 'service_tier', 'user', 'fallbacks'] as const

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
    body,
    modelSpan: found.model,
    streamOptionsSpan: undefined,
    closeAt,
  }
}
