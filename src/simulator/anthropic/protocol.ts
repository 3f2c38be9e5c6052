import { anthropicMessages } from '../../protocols/messages/messages'
import { promptTokens } from '../prompt-tokens'
import type { Endpoint, Failure, SimulatedProtocol } from '../protocol'
import { readingEndpoint, scriptedEndpoint, type ScriptedFormat } from '../scripted-endpoint'
import { sseText } from '../wire-event'
import { findMessageBatches } from './batches'
import { CLAUDE_STYLE, partOfMessageEvent } from './claude'
import { modelsEndpoint } from './models'

const FORMAT: ScriptedFormat = {
  chat: anthropicMessages,
  style: CLAUDE_STYLE,
  partOf: partOfMessageEvent,
  refuse: (body) =>
    body['max_tokens'] === undefined
      ? { status: 400, code: null, message: 'max_tokens: Field required', param: 'max_tokens' }
      : undefined,
}

const MESSAGES = scriptedEndpoint(FORMAT)

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/v1/messages': MESSAGES,
  '/v1/messages/count_tokens': readingEndpoint(FORMAT, {}, (generation) => {
    const text = JSON.stringify({ input_tokens: promptTokens(generation) })
    return { kind: 'whole', text, tokens: 0 }
  }),
}

const MODELS_PATH = '/v1/models'

/**
 * Anthropic's API: messages, whole and streamed, counts of their tokens, and models for those who send
 * `anthropic-version`. https://platform.claude.com/docs/en/api/messages, …/api/errors
 */
export const anthropicProtocol: SimulatedProtocol = {
  endpoint(asked) {
    const { pathname, headers } = asked
    const batches = findMessageBatches(asked, MESSAGES)
    if (batches) return batches
    if (pathname === MODELS_PATH && headers.has('anthropic-version')) return modelsEndpoint
    return Object.hasOwn(ENDPOINTS, pathname) ? ENDPOINTS[pathname] : undefined
  },

  headers(requestNumber) {
    return {
      'request-id': requestId(requestNumber),
      'anthropic-organization-id': '00000000-0000-4000-8000-000000000000',
      'anthropic-ratelimit-requests-limit': '4000',
      'anthropic-ratelimit-requests-remaining': '3999',
      'anthropic-ratelimit-requests-reset': '2026-01-31T09:30:00Z',
      'anthropic-ratelimit-input-tokens-limit': '2000000',
      'anthropic-ratelimit-input-tokens-remaining': '1999000',
      'anthropic-ratelimit-input-tokens-reset': '2026-01-31T09:30:00Z',
      'anthropic-ratelimit-output-tokens-limit': '400000',
      'anthropic-ratelimit-output-tokens-remaining': '399000',
      'anthropic-ratelimit-output-tokens-reset': '2026-01-31T09:30:00Z',
    }
  },

  renderError: (failure) => JSON.stringify(errorBody(failure)),
  // Its own status for the overload that others call unavailable.
  errorStatus: (status) => (status === 503 ? 529 : status),
  renderErrorFrame: (failure) => sseText('error', errorBody(failure)),
  streamType: 'text/event-stream; charset=utf-8',
  brokenFrame: 'event: content_block_delta\ndata: {"type":"content_block_delta",\n\n',
  keepAlive: 'event: ping\ndata: {"type":"ping"}\n\n',
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  503: 'overloaded_error',
}

function errorBody({ status, message }: Failure) {
  const type = ERROR_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
  return { type: 'error', error: { type, message }, request_id: requestId(0) }
}

function requestId(number: number): string {
  return `req_sim_${String(number).padStart(8, '0')}`
}
