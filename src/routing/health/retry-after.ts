import type { AnswerHeaders } from '../../providers/upstream-response'
import { isRecord, recordOf, stringOf } from '../../std/record'

/** An answer's headers, as they came or as they were kept: by names in lower case. */
export type ToldHeaders = AnswerHeaders | Readonly<Record<string, string>>

export type RetryAfterOptions = {
  /** The present, in epoch milliseconds: dates count from it. */
  nowEpochMs: number
  /** The longest wait that is believed. */
  maxMs?: number
}

/** Some tell of hours, when a day's quota is gone; to look again after ten minutes costs one request. */
export const MAX_RETRY_AFTER_MS = 600_000

/**
 * How long a provider asks to be left alone, in milliseconds, bounded; `undefined` where it doesn't say. `body` is its
 * parsed answer. What is said outright comes before the times at which limits reset.
 */
export function readRetryAfterMs(
  headers: ToldHeaders,
  body: unknown,
  { nowEpochMs, maxMs = MAX_RETRY_AFTER_MS }: RetryAfterOptions
): number | undefined {
  const header = (name: string) =>
    isAsCame(headers) ? (headers.get(name) ?? undefined) : headers[name]
  const waitMs =
    numberOf(header('retry-after-ms')) ??
    numberOf(header('x-ms-retry-after-ms')) ??
    readRetryAfter(header('retry-after'), nowEpochMs) ??
    readRetryInfo(body) ??
    readMessage(body) ??
    readOpenaiResets(header) ??
    readAnthropicResets(header, nowEpochMs) ??
    readReset(header('x-ratelimit-reset') ?? header('ratelimit-reset'), nowEpochMs)
  return waitMs === undefined ? undefined : Math.min(maxMs, Math.max(0, Math.ceil(waitMs)))
}

function isAsCame(headers: ToldHeaders): headers is AnswerHeaders {
  return typeof headers.get === 'function'
}

type Header = (name: string) => string | undefined

/** Seconds or an HTTP date: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3. Some send fractions. */
function readRetryAfter(value: string | undefined, nowEpochMs: number): number | undefined {
  const seconds = numberOf(value)
  return seconds === undefined ? untilDate(value, nowEpochMs) : seconds * 1_000
}

function untilDate(value: string | undefined, nowEpochMs: number): number | undefined {
  if (value === undefined || !/^(?:[A-Z][a-z]+,? |\d{4}-)/.test(value.trim())) return undefined
  // Of the three forms of an HTTP date, asctime's alone leaves its GMT out.
  const hasZone = /(?:GMT|UTC|Z|[+-]\d\d:?\d\d)$/.test(value.trim())
  const atMs = Date.parse(hasZone ? value : `${value} GMT`)
  return Number.isNaN(atMs) ? undefined : atMs - nowEpochMs
}

/** `retryDelay` of Google's `RetryInfo`, e.g. `34.4s`: https://google.aip.dev/193 */
function readRetryInfo(body: unknown): number | undefined {
  const details = recordOf(firstOf(body), 'error')?.details
  if (!Array.isArray(details)) return undefined
  for (const detail of details.filter(isRecord)) {
    const waitMs = parseGoDuration(stringOf(detail, 'retryDelay'))
    if (waitMs !== undefined) return waitMs
  }
  return undefined
}

/** OpenAI: `Please try again in 1.242s.`, Google: `Please retry in 10h17m5.7s.`, Azure: `Please retry after 6 seconds.` */
const ASKED =
  /\b(?:try again|retry) (?:in|after) (?:((?:\d+(?:\.\d+)?(?:ms|[dhms]))+)|(\d+(?:\.\d+)?) seconds?)/i

function readMessage(body: unknown): number | undefined {
  const value = firstOf(body)
  const message = stringOf(recordOf(value, 'error'), 'message') ?? stringOf(value, 'message')
  const match = message === undefined ? null : ASKED.exec(message.slice(0, 2_000))
  if (match === null) return undefined
  return match[2] === undefined ? parseGoDuration(match[1]) : Number(match[2]) * 1_000
}

/** Without `alt=sse` Google answers with a list. */
function firstOf(body: unknown): unknown {
  return Array.isArray(body) ? body[0] : body
}

/** https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers */
function readOpenaiResets(header: Header): number | undefined {
  return chooseReset(
    ['requests', 'tokens'].map((kind) => {
      const reset = header(`x-ratelimit-reset-${kind}`)
      const seconds = numberOf(reset)
      return {
        remaining: numberOf(header(`x-ratelimit-remaining-${kind}`)),
        waitMs: seconds === undefined ? parseGoDuration(reset) : seconds * 1_000,
      }
    })
  )
}

/** https://platform.claude.com/docs/en/api/rate-limits#response-headers */
function readAnthropicResets(header: Header, nowEpochMs: number): number | undefined {
  return chooseReset(
    ['requests', 'tokens', 'input-tokens', 'output-tokens'].map((kind) => ({
      remaining: numberOf(header(`anthropic-ratelimit-${kind}-remaining`)),
      waitMs: untilDate(header(`anthropic-ratelimit-${kind}-reset`), nowEpochMs),
    }))
  )
}

/**
 * The limit that is used up is the one to wait for, the last of several. Where none is, a request was too much for what
 * remained, and the first reset brings something back.
 */
function chooseReset(
  resets: readonly { remaining: number | undefined; waitMs: number | undefined }[]
): number | undefined {
  let spentMs: number | undefined
  let firstMs: number | undefined
  for (const { remaining, waitMs } of resets) {
    if (waitMs === undefined) continue
    if (remaining === 0) spentMs = Math.max(spentMs ?? 0, waitMs)
    firstMs = Math.min(firstMs ?? Infinity, waitMs)
  }
  return spentMs ?? firstMs
}

/**
 * Epoch milliseconds as of OpenRouter, epoch seconds as of GitHub, or seconds from now as of the IETF's draft.
 * https://openrouter.ai/docs/api-reference/limits
 */
function readReset(value: string | undefined, nowEpochMs: number): number | undefined {
  const reset = numberOf(value)
  if (reset === undefined) return parseGoDuration(value)
  if (reset > 1e11) return reset - nowEpochMs
  return reset > 1e9 ? reset * 1_000 - nowEpochMs : reset * 1_000
}

function numberOf(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : undefined
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * The milliseconds of a duration as Go writes it, e.g. `6m0s`, `1h2m3.5s`, `20ms`; `undefined` for anything else.
 * https://pkg.go.dev/time#ParseDuration
 */
export function parseGoDuration(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|[dhms]))+$/.test(text))
    return undefined
  let durationMs = 0
  for (const [, count, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|[dhms])/g))
    durationMs += Number(count) * (UNIT_MS[unit] ?? 0)
  return durationMs
}
