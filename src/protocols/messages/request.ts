import { readJsonCount } from '../../std/json-scan'
import type { Envelope } from '../envelope'
import { readModel, readStream, scanMembers } from '../openai/request'

const READ = ['model', 'stream', 'max_tokens']

/** Reads a Messages body in one scan; throws `invalid_json` and `invalid_request`. */
export function parseRequest(body: Uint8Array): Envelope {
  const { found, closeAt } = scanMembers(body, READ)
  return {
    operation: 'generate',
    model: readModel(body, found),
    stream: readStream(body, found.stream),
    includesUsage: true,
    choices: 1,
    outputLimit: readJsonCount(body, found.max_tokens),
    body,
    modelSpan: found.model,
    streamOptionsSpan: undefined,
    closeAt,
  }
}
