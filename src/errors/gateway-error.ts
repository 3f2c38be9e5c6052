/**
 * Every way a request can fail, with the status the client sees. The list is closed: a failure
 * that fits none of these is a bug and leaves as `internal_error`, without its message.
 */
export const ERROR_CODES = {
  invalid_json: { status: 400, type: 'invalid_request_error' },
  invalid_request: { status: 400, type: 'invalid_request_error' },
  previous_response_not_found: { status: 400, type: 'invalid_request_error' },
  lossy_translation: { status: 400, type: 'invalid_request_error' },
  protocol_not_spoken: { status: 400, type: 'invalid_request_error' },
  invalid_api_key: { status: 401, type: 'authentication_error' },
  model_not_allowed: { status: 403, type: 'permission_error' },
  tool_not_allowed: { status: 403, type: 'permission_error' },
  path_not_allowed: { status: 403, type: 'permission_error' },
  origin_not_allowed: { status: 403, type: 'permission_error' },
  model_not_found: { status: 404, type: 'invalid_request_error' },
  request_not_found: { status: 404, type: 'invalid_request_error' },
  object_not_found: { status: 404, type: 'invalid_request_error' },
  route_not_found: { status: 404, type: 'invalid_request_error' },
  method_not_allowed: { status: 405, type: 'invalid_request_error' },
  request_timeout: { status: 408, type: 'invalid_request_error' },
  request_too_large: { status: 413, type: 'invalid_request_error' },
  insufficient_quota: { status: 429, type: 'insufficient_quota' },
  rate_limit_exceeded: { status: 429, type: 'rate_limit_error' },
  client_closed: { status: 499, type: 'client_closed' },
  internal_error: { status: 500, type: 'server_error' },
  upstream_unauthorized: { status: 502, type: 'upstream_error' },
  upstream_unreachable: { status: 502, type: 'upstream_error' },
  upstream_broken: { status: 502, type: 'upstream_error' },
  upstream_malformed: { status: 502, type: 'upstream_error' },
  upstream_too_large: { status: 502, type: 'upstream_error' },
  upstream_redirected: { status: 502, type: 'upstream_error' },
  upstream_refused: { status: 502, type: 'upstream_error' },
  overloaded: { status: 503, type: 'server_error' },
  log_unavailable: { status: 503, type: 'server_error' },
  disk_full: { status: 507, type: 'server_error' },
  upstream_timeout: { status: 504, type: 'upstream_error' },
} as const satisfies Record<string, { status: number; type: string }>

export type ErrorCode = keyof typeof ERROR_CODES

export type GatewayErrorOptions = {
  /** The status to answer with, where the upstream's own is more telling than the code's. */
  status?: number
  /** The request's field at fault, as the client spells it. */
  param?: string
  /** Seconds after which a retry can help; leaves as `retry-after`. */
  retryAfterSeconds?: number
  /** `false` tells SDKs that a retry can't help (`x-should-retry`). */
  shouldRetry?: boolean
  /** The upstream's own error body, JSON in the client's protocol, passed on as it came. */
  answer?: string
  /** Headers of the upstream's answer that go with it, e.g. `retry-after`. */
  headers?: Readonly<Record<string, string>>
  /** For the log alone: what the caller must not see. */
  detail?: string
  cause?: unknown
}

/** The one error class: thrown in domain code, rendered once, at the edge. */
export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly type: string
  readonly param: string | undefined
  readonly retryAfterSeconds: number | undefined
  readonly shouldRetry: boolean | undefined
  readonly answer: string | undefined
  readonly headers: Readonly<Record<string, string>> | undefined
  readonly detail: string | undefined

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GatewayError'
    this.code = code
    this.status = options.status ?? ERROR_CODES[code].status
    this.type = ERROR_CODES[code].type
    this.param = options.param
    this.retryAfterSeconds = options.retryAfterSeconds
    this.shouldRetry = options.shouldRetry
    this.answer = options.answer
    this.headers = options.headers
    this.detail = options.detail
  }

  /** Anything unexpected becomes an `internal_error` whose message stays in the program log. */
  static from(error: unknown): GatewayError {
    if (error instanceof GatewayError) return error
    return new GatewayError('internal_error', 'the gateway failed; quote the request id', {
      cause: error,
    })
  }
}
