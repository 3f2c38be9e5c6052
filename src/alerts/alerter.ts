import type { AlertSettings, WebhookSettings } from '../config/alerts'
import type { GovernorEvent } from '../ledger/tell-budgets'
import type { Mark, ToldMarks } from '../ledger/told-marks'
import type { BenchEvent } from '../providers/credential-pool'
import { type AddressGuard, createAddressGuard } from '../providers/private-addresses'
import { matchesGlob } from '../std/glob'
import type { ProgramLog } from '../telemetry/program-log'
import { type AlertView, toAlertView, toCredentialAlert } from './alert'
import { AlertFiles, type PendingAlert } from './alert-files'
import { postWebhook } from './post-webhook'
import { type LaneOptions, RETRY_DELAYS_MS, WebhookLane } from './webhook-lane'

export type AlerterOptions = {
  settings: AlertSettings
  /** A folder of the data directory; made when there is something to keep. */
  path: string
  programLog: ProgramLog
  /** What was told by earlier processes is added to it. */
  told: ToldMarks
  /** Between attempts, as `RETRY_DELAYS_MS` unless said. */
  retryDelaysMs?: readonly number[] | undefined
}

/** How long a stop waits for what is under way. What is not taken by then is sent again by the next process. */
const STOP_WITHIN_MS = 1_000

/** A credential that stays refused goes to the bench again and again. */
const BENCHED_AGAIN_AFTER_MS = 3_600_000

/**
 * Tells webhooks what becomes of budgets. Each alert is written down, off the request's thread, before it is sent, and
 * forgotten when every webhook has taken it; what is left is sent by the next process, with the same id.
 */
export class Alerter {
  readonly #options: AlerterOptions
  readonly #files: AlertFiles
  readonly #guard: AddressGuard = createAddressGuard(Bun.dns.lookup, webhookTerms)
  readonly #closing = new AbortController()
  readonly #lanes = new Map<string, WebhookLane>()
  readonly #pending = new Map<string, PendingAlert>()
  #webhooks: readonly WebhookSettings[] = []

  constructor(options: AlerterOptions) {
    this.#options = options
    const { programLog, path, told, settings } = options
    this.#files = new AlertFiles(path, (error) =>
      programLog.error('alerts can not be written down or read', { error, path })
    )
    const { alerts, marks } = this.#files.read()
    for (const mark of marks) told.restore(mark)
    this.configure(settings)
    const unwanted = alerts.filter((alert) => !this.#resume(alert))
    for (const { id } of unwanted) this.#files.remove(id)
    if (unwanted.length > 0)
      programLog.warn('alerts are dropped', {
        reason: 'their webhooks are no longer configured',
        dropped: unwanted.length,
      })
  }

  /** Tells those whom it concerns. Does nothing that waits. */
  tell(event: GovernorEvent): void {
    this.#tell(toAlertView(event, Date.now()), event.mark)
  }

  /** The same of a credential, each reason once an hour. */
  tellBenching(event: BenchEvent): void {
    const nowMs = Date.now()
    const view = toCredentialAlert(event, nowMs)
    const key = `${view.subject}\n${view.model ?? ''}\n${view.reason}`
    if (this.#options.told.has(key, nowMs)) return
    const mark = { key, untilMs: nowMs + BENCHED_AGAIN_AFTER_MS }
    this.#options.told.restore(mark)
    this.#tell(view, mark)
  }

  #tell(view: AlertView, mark: Mark): void {
    const webhooks = this.#webhooks.filter(
      ({ name, events, subjects }) =>
        events.includes(view.type) &&
        subjects.some((glob) => matchesGlob(glob, view.subject)) &&
        this.#lanes.get(name)?.hasRoom()
    )
    if (webhooks.length > 0) {
      const names = new Set(webhooks.map(({ name }) => name))
      const { id } = view
      const createdAtMs = Date.parse(view.time)
      this.#send({ id, createdAtMs, webhooks: names, body: JSON.stringify(view), mark })
    }
    // After the alert itself: whoever finds the mark can rely on it.
    this.#files.mark(mark, () => this.#options.told.valid(Date.now()))
  }

  /** Tells by other settings from now on. What waits for a webhook that is gone is dropped. */
  configure({ webhooks }: AlertSettings): void {
    this.#webhooks = webhooks
    const names = new Set(webhooks.map(({ name }) => name))
    for (const [name, lane] of this.#lanes) {
      if (names.has(name)) continue
      lane.abandon('it is no longer configured')
      this.#lanes.delete(name)
    }
    for (const webhook of webhooks) {
      const lane = this.#lanes.get(webhook.name)
      if (lane) lane.configure(webhook)
      else this.#lanes.set(webhook.name, new WebhookLane(webhook, this.#laneOptions()))
    }
  }

  /** Stops within a second; what was not taken is left for the next process. */
  async close(): Promise<void> {
    const timer = setTimeout(
      () => this.#closing.abort(new Error('the gateway stops')),
      STOP_WITHIN_MS
    )
    await this.#files.settled()
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()))
    clearTimeout(timer)
    await this.#files.settled()
  }

  /** Goes on with what an earlier process left; `false` where nobody is configured to be told of it. */
  #resume(alert: PendingAlert): boolean {
    this.#options.told.restore(alert.mark)
    const known = [...alert.webhooks].filter((name) => this.#lanes.has(name))
    if (known.length === 0) return false
    const webhooks = new Set(known)
    this.#pending.set(alert.id, { ...alert, webhooks })
    for (const name of webhooks) void this.#lanes.get(name)?.add(alert, this.#files.settled())
    return true
  }

  #send(alert: PendingAlert): void {
    this.#pending.set(alert.id, alert)
    this.#files.save(alert)
    // Nobody is told of what the next process would tell again, by another id.
    const isKept = this.#files.settled()
    for (const name of alert.webhooks) void this.#lanes.get(name)?.add(alert, isKept)
  }

  #laneOptions(): LaneOptions {
    const { programLog, retryDelaysMs = RETRY_DELAYS_MS } = this.#options
    return {
      programLog,
      retryDelaysMs,
      random: Math.random,
      post: (webhook, alert) => postWebhook(webhook, alert, this.#guard, this.#closing.signal),
      onDone: (webhook, { id }) => this.#done(webhook, id),
    }
  }

  #done(webhook: string, id: string): void {
    const alert = this.#pending.get(id)
    if (alert === undefined) return
    const webhooks = new Set(alert.webhooks)
    webhooks.delete(webhook)
    const rest = { ...alert, webhooks }
    if (webhooks.size === 0) {
      this.#pending.delete(id)
      this.#files.remove(id)
    } else {
      this.#pending.set(id, rest)
      this.#files.save(rest)
    }
  }
}

/** How errors call a webhook, and where its configuration allows private addresses. */
export function webhookTerms(name: string) {
  return {
    title: `the webhook '${name}'`,
    field: `alerts.webhooks.${name}.private_addresses`,
  }
}
