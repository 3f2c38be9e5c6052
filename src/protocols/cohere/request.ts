import { readJsonCount } from '../../std/json-scan'
import type { Envelope } from '../envelope'
import { readModel, readStream, scanMembers } from '../openai/request'

const READ = ['model', 'stream', 'max_tokens', 'fallbacks']

/**
 * Reads the envelope of a body of POST /v2/chat in one scan; throws `invalid_json` and `invalid_request`.
 * https://docs.cohere.com/v2/reference/chat
 */
export function parseRequest(body: Uint8Array): Envelope {
  const { found, closeAt } = scanMembers(body, READ)
  return {
    operation: 'generate',
    model: readModel(body, found),
    stream: readStream(body, found.stream),
    // The last event of a stream always has it.
    includesUsage: true,
    choices: 1,
    outputLimit: readJsonCount(body, found.max_tokens),
    ...(found.fallbacks && { fallbacksSpan: found.fallbacks }),
    body,
    modelSpan: found.model,
    streamOptionsSpan: undefined,
    closeAt,
  }
}
