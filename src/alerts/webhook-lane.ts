import type { WebhookSettings } from '../config/alerts'
import type { ProgramLog } from '../telemetry/program-log'
import type { PendingAlert } from './alert-files'
import { describeAnswer, isTaken, type WebhookAnswer } from './post-webhook'

export type LaneOptions = {
  post(webhook: WebhookSettings, alert: PendingAlert): Promise<WebhookAnswer>
  /** The webhook has taken the alert, or never will. */
  onDone(webhook: string, alert: PendingAlert): void
  programLog: ProgramLog
  /** How long after a failure the next attempt is made; the last repeats until the alert is a day old. */
  retryDelaysMs: readonly number[]
  /** From 0 to 1, by which retries of many alerts are spread. */
  random(): number
}

export const RETRY_DELAYS_MS = [5, 30, 120, 600, 3_600, 7_200, 14_400].map(
  (seconds) => seconds * 1_000
)
/** Alerts that wait for one webhook; those beyond are dropped. */
export const MOST_WAITING = 1_000
const AT_ONCE = 4
const LIFE_MS = 86_400_000
/** Retries come by up to so much later than their delay. */
const JITTER = 0.2
const GONE = 410

type Waiting = { readonly alert: PendingAlert; attempts: number; timer: Timer | undefined }

/** The way of alerts to one webhook: a few at once, each tried again until it is taken or a day old. */
export class WebhookLane {
  #webhook: WebhookSettings
  readonly #options: LaneOptions
  /** Every alert that is on its way, by id. */
  readonly #waiting = new Map<string, Waiting>()
  #ready: Waiting[] = []
  readonly #underWay = new Set<Promise<void>>()
  #dropped = 0
  #isGone = false
  #isStopped = false

  constructor(webhook: WebhookSettings, options: LaneOptions) {
    this.#webhook = webhook
    this.#options = options
  }

  /** Whether the webhook can be told of one alert more. One that it has no room for is dropped, which the log tells. */
  hasRoom(): boolean {
    if (this.#isGone) return false
    if (this.#waiting.size < MOST_WAITING) {
      this.#dropped = 0
      return true
    }
    this.#dropped += 1
    // Told at 1, 10, 100: a log that repeats itself a thousand times is not read.
    if (/^10*$/.test(String(this.#dropped)))
      this.#options.programLog.error('alerts are dropped: too many wait for a webhook', {
        webhook: this.#webhook.name,
        waiting: this.#waiting.size,
        dropped: this.#dropped,
      })
    return false
  }

  /** Sends an alert once it may be, and again until it is done. */
  async add(alert: PendingAlert, mayBeSent: Promise<void>): Promise<void> {
    const waiting = { alert, attempts: 0, timer: undefined }
    this.#waiting.set(alert.id, waiting)
    await mayBeSent
    if (!this.#waiting.has(alert.id)) return
    this.#ready.push(waiting)
    this.#advance()
  }

  /** Goes on, also where it was gone; with other settings than before all that waits is tried at once. */
  configure(webhook: WebhookSettings): void {
    this.#isGone = false
    if (Bun.deepEquals(this.#webhook, webhook)) return
    this.#webhook = webhook
    for (const waiting of this.#waiting.values()) {
      if (waiting.timer === undefined) continue
      clearTimeout(waiting.timer)
      waiting.timer = undefined
      waiting.attempts = 0
      this.#ready.push(waiting)
    }
    this.#advance()
  }

  /** Retries nothing more: what waits is kept for the next start. Resolves when all else had its attempt. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const { timer } of this.#waiting.values()) clearTimeout(timer)
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  /** The webhook is no longer configured, or wants nothing more: drops all that waits. */
  abandon(reason: string): void {
    if (this.#waiting.size > 0)
      this.#options.programLog.warn('alerts are dropped', {
        webhook: this.#webhook.name,
        reason,
        dropped: this.#waiting.size,
      })
    for (const waiting of this.#waiting.values()) {
      clearTimeout(waiting.timer)
      this.#options.onDone(this.#webhook.name, waiting.alert)
    }
    this.#waiting.clear()
    this.#ready = []
  }

  #advance(): void {
    while (this.#underWay.size < AT_ONCE) {
      const next = this.#ready.shift()
      if (next === undefined) return
      const attempt: Promise<void> = this.#attempt(next).finally(() => {
        this.#underWay.delete(attempt)
        this.#advance()
      })
      this.#underWay.add(attempt)
    }
  }

  async #attempt(waiting: Waiting): Promise<void> {
    const { alert } = waiting
    const webhook = this.#webhook
    waiting.attempts += 1
    const answer = await this.#options.post(webhook, alert)
    // An alert that was taken while the gateway stops must not be sent again by the next one.
    if (!this.#waiting.has(alert.id) || (this.#isStopped && !isTaken(answer))) return
    const facts = { webhook: webhook.name, alert: alert.id, attempts: waiting.attempts }
    if (isTaken(answer)) {
      this.#done(alert)
      return this.#options.programLog.info('an alert was delivered', facts)
    }
    const problem = describeAnswer(answer)
    if (answer.kind === 'answered' && answer.status === GONE) {
      this.#isGone = true
      return this.abandon(`${problem}: it wants no more until the configuration is reloaded`)
    }
    const retryMs = this.#retryAfter(waiting, answer)
    if (Date.now() + retryMs > alert.createdAtMs + LIFE_MS) {
      this.#done(alert)
      return this.#options.programLog.error('an alert is given up', { ...facts, problem })
    }
    const retryInSeconds = Math.round(retryMs / 1_000)
    this.#options.programLog.warn('an alert was not taken', { ...facts, problem, retryInSeconds })
    waiting.timer = setTimeout(() => {
      waiting.timer = undefined
      this.#ready.push(waiting)
      this.#advance()
    }, retryMs).unref()
  }

  #retryAfter({ attempts }: Waiting, answer: WebhookAnswer): number {
    const { retryDelaysMs, random } = this.#options
    const delayMs = retryDelaysMs[Math.min(attempts, retryDelaysMs.length) - 1] ?? 0
    const askedMs = (answer.kind === 'answered' && answer.retryAfterMs) || 0
    return Math.max(askedMs, delayMs) * (1 + JITTER * random())
  }

  #done(alert: PendingAlert): void {
    this.#waiting.delete(alert.id)
    this.#options.onDone(this.#webhook.name, alert)
  }
}
