import type { WebhookSettings } from '../config/alerts'
import type { AddressGuard } from '../providers/private-addresses'
import { stringOf } from '../std/record'
import { version } from '../std/version'

/** What of a webhook's answer is kept, to show it to who tries one. */
const MAX_ANSWER_BYTES = 1_024
const DAY_MS = 86_400_000

export type WebhookMessage = { readonly id: string; readonly body: string }

/** What came back: the status and the beginning of the answer, or why there is none. */
export type WebhookAnswer =
  | {
      readonly kind: 'answered'
      readonly status: number
      /** How long it asks to be left alone, at most a day; `undefined` where it does not. */
      readonly retryAfterMs: number | undefined
      readonly text: string
    }
  | { readonly kind: 'failed'; readonly problem: string }

/**
 * Posts a message to a webhook, signed by https://www.standardwebhooks.com: the headers `webhook-id`,
 * `webhook-timestamp` (of this attempt) and `webhook-signature`. Waits for the answer for as long as the webhook's
 * settings say, follows no redirect and reads 1 KB. Never throws.
 */
export async function postWebhook(
  webhook: WebhookSettings,
  message: WebhookMessage,
  guard: AddressGuard,
  abort: AbortSignal
): Promise<WebhookAnswer> {
  const timeout = AbortSignal.timeout(webhook.timeoutMs)
  const signal = AbortSignal.any([abort, timeout])
  const options: BunFetchRequestInit = {
    method: 'POST',
    body: message.body,
    headers: {
      'user-agent': `tollgate/${version}`,
      ...webhook.headers,
      'content-type': 'application/json',
      ...sign(webhook, message, new Date()),
    },
    signal,
    // A redirect would carry the message to another host.
    redirect: 'manual',
    proxy: webhook.proxy ?? false,
  }
  try {
    if (!webhook.privateAddresses && webhook.proxy === undefined)
      await inTime(guard(webhook.name, new URL(webhook.url).hostname), signal)
    const response = await fetch(webhook.url, options)
    const { status, headers } = response
    const retryAfterMs = readRetryAfter(headers.get('retry-after'), Date.now())
    return { kind: 'answered', status, retryAfterMs, text: await readBeginning(response) }
  } catch (cause) {
    if (timeout.aborted)
      return { kind: 'failed', problem: `no answer within ${webhook.timeoutMs} ms` }
    return { kind: 'failed', problem: describeFailure(cause) }
  }
}

/** The message was taken: it must not be sent again. */
export function isTaken(answer: WebhookAnswer): boolean {
  return answer.kind === 'answered' && answer.status >= 200 && answer.status < 300
}

/** What became of a message, in words. */
export function describeAnswer(answer: WebhookAnswer): string {
  return answer.kind === 'failed' ? answer.problem : `answered with ${answer.status}`
}

function sign(
  { secrets }: WebhookSettings,
  { id, body }: WebhookMessage,
  at: Date
): Record<string, string> {
  // Loaded with the first message: the start is spared it.
  const { Webhook }: typeof import('standardwebhooks') = require('standardwebhooks')
  const signatures = secrets.map((secret) => new Webhook(secret).sign(id, at, body))
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': signatures.join(' '),
  }
}

/** Whole seconds or an HTTP date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function readRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined
  const atMs = /^\d{1,9}$/.test(value) ? nowMs + Number(value) * 1_000 : Date.parse(value)
  return Number.isNaN(atMs) ? undefined : Math.min(DAY_MS, Math.max(0, atMs - nowMs))
}

/** The text of an answer's first bytes; what comes after them is not waited for. */
async function readBeginning({ body }: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  try {
    for await (const chunk of body ?? []) {
      text += decoder.decode(chunk.subarray(0, MAX_ANSWER_BYTES - length), { stream: true })
      length += chunk.length
      // Leaving the loop cancels the body.
      if (length >= MAX_ANSWER_BYTES) break
    }
  } catch {
    // The status has come, and it alone decides.
  }
  return text
}

/** What can't be aborted itself is left behind when the time is over. */
async function inTime(work: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  if (work === undefined) return
  const over = Promise.withResolvers<void>()
  const onAbort = () => over.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([work, over.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function describeFailure(cause: unknown): string {
  const code = stringOf(cause, 'code')
  if (code === 'upstream_unreachable' && cause instanceof Error) return cause.message
  return `can't be reached (${code ?? 'unknown'})`
}
