import type { ChatProtocol } from '../chat-protocol'
import type { Envelope, Operation } from '../envelope'
import { renderForm } from '../form'
import { gemini } from '../gemini/gemini'
import { anthropicMessages } from '../messages/messages'
import type { ObjectCall } from '../object-call'
import { openaiChat } from '../openai/openai'
import type { Protocol, RequestRoute } from '../protocol'

// Files, batches and stored responses: the bytes pass, and the gateway knows whose they are.

/** https://platform.openai.com/docs/api-reference/files */
export const openaiFiles = createObjects('openai-files', 'file', openaiChat, '/v1')

/** https://platform.openai.com/docs/api-reference/batch */
export const openaiBatches = createObjects('openai-batches', 'batch', openaiChat, '/v1')

/** https://platform.openai.com/docs/api-reference/responses/get */
export const openaiStored = createObjects('openai-responses', 'response', openaiChat, '/v1')

/** https://docs.claude.com/en/api/files-create */
export const anthropicFiles = createObjects('anthropic-files', 'file', anthropicMessages, '/v1')

/** https://docs.claude.com/en/api/creating-message-batches */
export const anthropicBatches = createObjects(
  'anthropic-batches',
  'batch',
  anthropicMessages,
  '/v1'
)

/** https://ai.google.dev/gemini-api/docs/batch-api */
export const geminiBatches = createObjects('gemini-batches', 'batch', gemini, '/v1beta')

export type ObjectProtocols = {
  /** What comes is JSON. */
  readonly json: Protocol
  /** What comes is passed on as it is, however large. */
  readonly file: Protocol
}

/** The protocol of one call. */
export function objectProtocol(protocols: ObjectProtocols, { isFile }: ObjectCall): Protocol {
  return isFile ? protocols.file : protocols.json
}

/** `version` stands before the path, unless the base URL ends in one. */
function createObjects(
  name: string,
  operation: Operation,
  { client, upstream }: ChatProtocol,
  version: string
): ObjectProtocols {
  const json: Protocol = {
    name,
    operation,
    client: {
      ...client,
      parseRequest: (body, route) => toEnvelope(operation, body, route),
      parseForm: (form, route) => ({ ...toEnvelope(operation, NO_BODY, route), form }),
    },
    upstream: {
      ...upstream,
      path: ({ baseUrl, resource = '' }) => (hasVersion(baseUrl) ? resource : version + resource),
      renderRequest: ({ body }) => body,
      // What leads to the provider means nothing to it.
      renderForm: (form) => renderForm(form, { model: undefined, provider: undefined }),
      parseAnswer: () => ({ usage: undefined, finishReasons: [] }),
    },
  }
  return { json, file: { ...json, upstream: { ...json.upstream, answers: 'file' } } }
}

/** Some hosts have their version in the midst of the path. */
function hasVersion(baseUrl: string): boolean {
  return /\/v\d+[a-z0-9]*(\/|$)/.test(baseUrl)
}

const NO_BODY = new Uint8Array()

function toEnvelope(operation: Operation, body: Uint8Array, { object }: RequestRoute): Envelope {
  return {
    operation,
    model: '',
    stream: object?.query.get('stream') === 'true',
    includesUsage: true,
    choices: 1,
    outputLimit: undefined,
    ...(object && { direct: object }),
    body,
    modelSpan: undefined,
    streamOptionsSpan: undefined,
    closeAt: 0,
  }
}
