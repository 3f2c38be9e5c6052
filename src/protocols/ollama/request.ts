import { readJsonCount, scanJsonObject } from '../../std/json-scan'
import type { Envelope, Span } from '../envelope'
import { readModel, readStream, scanMembers } from '../openai/request'

/** Reads the body of POST /api/chat in one scan; it streams unless it says no. Throws `invalid_json`, `invalid_request`. */
export function parseRequest(body: Uint8Array): Envelope {
  const { found, closeAt } = scanMembers(body, ['model', 'stream', 'options'])
  const { options } = found
  return {
    operation: 'generate',
    model: readModel(body, found),
    stream: isDefault(body, found.stream) || readStream(body, found.stream),
    includesUsage: true,
    choices: 1,
    outputLimit: options && readLimit(body.subarray(options.start, options.end)),
    body,
    modelSpan: found.model,
    streamOptionsSpan: undefined,
    closeAt,
  }
}

const LETTER_N = 0x6e

/** Nothing is said, or `null`, which the server reads as nothing; the scan has shown that it is JSON. */
function isDefault(body: Uint8Array, span: Span | undefined): boolean {
  return span === undefined || body[span.start] === LETTER_N
}

/** `num_predict` of the options; what is below zero is no limit. */
function readLimit(options: Uint8Array): number | undefined {
  let limit: number | undefined
  scanJsonObject(options, ['num_predict'], (member) => {
    limit = readJsonCount(options, member)
  })
  return limit
}
