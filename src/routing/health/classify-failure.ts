import type { ErrorCode, GatewayError } from '../../errors/gateway-error'
import { isRecord, recordOf, stringOf } from '../../std/record'
import { type ErrorFacts, FAILURE_RULES, kindOfStatus, type RefusedKind } from './failure-rules'
import { type ToldHeaders, MAX_RETRY_AFTER_MS, readRetryAfterMs } from './retry-after'

/**
 * Whose fault a failure is: the `provider` is down or broken; it is `throttled`; the `credential` is refused or has no
 * money; the `request` is wrong everywhere; this target lacks a `capability`, is too small for it (`context_length`) or
 * won't say it (`content_policy`); the `client` has left; our own `policy` refused, or we failed ourselves.
 */
export type FailureKind = RefusedKind | 'client' | 'policy'

/**
 * How a provider failed, where that says more than that it did. `overloaded`: it is there, and has too much at once.
 */
export type FailureCause = 'timeout' | 'unreachable' | 'overloaded'

export type Failure = {
  readonly kind: FailureKind
  readonly cause: FailureCause | undefined
  /** How long the provider asked to be left alone; `undefined` where it didn't. */
  readonly retryAfterMs: number | undefined
}

/** What a code alone says; `refused` is told by what the provider answered. */
const KINDS: Readonly<Record<ErrorCode, FailureKind | 'refused'>> = {
  invalid_json: 'request',
  invalid_request: 'request',
  lossy_translation: 'capability',
  protocol_not_spoken: 'capability',
  invalid_api_key: 'policy',
  model_not_allowed: 'policy',
  tool_not_allowed: 'policy',
  origin_not_allowed: 'policy',
  model_not_found: 'policy',
  object_not_found: 'policy',
  path_not_allowed: 'policy',
  disk_full: 'policy',
  previous_response_not_found: 'policy',
  request_not_found: 'policy',
  route_not_found: 'policy',
  method_not_allowed: 'policy',
  request_timeout: 'client',
  request_too_large: 'policy',
  insufficient_quota: 'policy',
  rate_limit_exceeded: 'policy',
  client_closed: 'client',
  internal_error: 'policy',
  upstream_unauthorized: 'refused',
  upstream_unreachable: 'provider',
  upstream_broken: 'provider',
  upstream_malformed: 'provider',
  upstream_too_large: 'provider',
  upstream_redirected: 'provider',
  upstream_refused: 'refused',
  overloaded: 'policy',
  log_unavailable: 'policy',
  upstream_timeout: 'provider',
}

/**
 * Sorts what an attempt failed with. `nowEpochMs` is the present; dates in `retry-after` count from it. `headers` are the
 * upstream's own; an error keeps only those that may pass to the client. Never throws.
 */
export function classifyFailure(
  error: GatewayError,
  nowEpochMs: number,
  headers: ToldHeaders = error.headers ?? {}
): Failure {
  const known = KINDS[error.code]
  if (known !== 'refused')
    return { kind: known, cause: causeOf(error), retryAfterMs: toMs(error.retryAfterSeconds) }
  const body = parseAnswer(error.answer)
  const retryAfterMs =
    readRetryAfterMs(headers, body, { nowEpochMs }) ?? toMs(error.retryAfterSeconds)
  const facts = readFacts(error, body)
  const kind = kindOf(facts, error, body !== undefined)
  const isOverloaded = kind === 'throttled' && facts.status !== 429
  return { kind, cause: isOverloaded ? 'overloaded' : undefined, retryAfterMs }
}

function causeOf({ code, cause }: GatewayError): FailureCause | undefined {
  if (code === 'upstream_timeout') return 'timeout'
  if (code !== 'upstream_unreachable') return undefined
  // The connection stands, only one more stream was too many for it: https://www.rfc-editor.org/rfc/rfc9113#section-8.7
  return stringOf(cause, 'code') === 'HTTP2RefusedStream' ? 'overloaded' : 'unreachable'
}

function toMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.min(MAX_RETRY_AFTER_MS, seconds * 1_000)
}

function kindOf(facts: ErrorFacts, { code }: GatewayError, hasAnswer: boolean): FailureKind {
  const rule = FAILURE_RULES.find(
    ({ names, says, statuses }) =>
      (statuses === undefined || statuses.has(facts.status)) &&
      (facts.names.some((name) => names?.has(name)) || says?.test(facts.message))
  )
  if (rule) return rule.kind
  return code === 'upstream_unauthorized' ? 'credential' : kindOfStatus(facts.status, hasAnswer)
}

/** Beyond this nobody explains anything; errors may quote a whole prompt. */
const MAX_ANSWER_CHARACTERS = 65_536
const MAX_MESSAGE_CHARACTERS = 2_000

function parseAnswer(answer: string | undefined): unknown {
  if (answer === undefined || answer.length > MAX_ANSWER_CHARACTERS) return undefined
  try {
    const value: unknown = JSON.parse(answer)
    return Array.isArray(value) ? value[0] : value
  } catch {
    return undefined
  }
}

function readFacts(error: GatewayError, body: unknown): ErrorFacts {
  const told = recordOf(body, 'error') ?? body
  const inner = recordOf(told, 'innererror') ?? recordOf(told, 'inner_error')
  const names = [
    stringOf(told, 'code'),
    stringOf(told, 'type'),
    stringOf(told, 'status'),
    stringOf(inner, 'code'),
    error.headers?.['x-amzn-errortype']?.split(':')[0],
    isQuotaOfDay(told) ? 'quota_per_day' : undefined,
  ].filter((name) => name !== undefined)
  const message =
    stringOf(told, 'message') ?? stringOf(body, 'error') ?? error.detail ?? saidIn(error)
  return {
    status: error.code === 'upstream_unauthorized' ? 401 : error.status,
    names: names.map((name) => name.toLowerCase()),
    message: message.slice(0, MAX_MESSAGE_CHARACTERS),
  }
}

/** Our own message quotes the provider's behind its status. */
function saidIn({ message }: GatewayError): string {
  return /^[^:]*answered[^:]*: (.*)$/s.exec(message)?.[1] ?? message
}

/** `quotaId` of Google's `QuotaFailure`, e.g. `GenerateRequestsPerDayPerProjectPerModel`. */
function isQuotaOfDay(told: unknown): boolean {
  const details = isRecord(told) ? told.details : undefined
  if (!Array.isArray(details)) return false
  return details.filter(isRecord).some(({ violations }) => {
    if (!Array.isArray(violations)) return false
    return violations.some((violation) => stringOf(violation, 'quotaId')?.includes('PerDay'))
  })
}
