import { readJsonCount, readJsonString } from '../../std/json-scan'
import { stringOf } from '../../std/record'
import type { Envelope } from '../envelope'
import { readModel, readStream, renderRequest as renderSame, scanMembers } from '../openai/request'
import { splice } from '../openai/request'
import type { RequestChanges } from '../protocol'

const READ = ['model', 'stream', 'max_tokens', 'service_tier', 'metadata', 'fallbacks']

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
    ...(found.service_tier && { serviceTier: readJsonString(body, found.service_tier) }),
    ...(found.metadata && {
      user: readUser(body.subarray(found.metadata.start, found.metadata.end)),
    }),
    ...(found.fallbacks && { fallbacksSpan: found.fallbacks }),
    body,
    modelSpan: found.model,
    streamOptionsSpan: undefined,
    closeAt,
  }
}

const encoder = new TextEncoder()

/** The member `user_id` of `metadata`, which was found to be JSON before. */
function readUser(metadata: Uint8Array): string | undefined {
  return stringOf(JSON.parse(new TextDecoder().decode(metadata)), 'user_id')
}

/**
 * The body for one target: the client's bytes with the model's name replaced, or, where the host has the model in its
 * path, with `anthropic_version` in the model's place.
 * https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude
 */
export function renderRequest(envelope: Envelope, changes: RequestChanges): Uint8Array {
  const { anthropicVersion } = changes
  const { body, modelSpan } = envelope
  if (anthropicVersion === undefined || modelSpan === undefined)
    return renderSame(envelope, changes)
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
  const start = bytes.lastIndexOf('"model"', modelSpan.start)
  const text = encoder.encode(`"anthropic_version":${JSON.stringify(anthropicVersion)}`)
  return splice(body, [{ span: { start, end: modelSpan.end }, text }])
}
