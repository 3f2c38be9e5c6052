/** What webhooks can be told of. */
export const ALERT_TYPES = [
  'budget_threshold',
  'budget_exceeded',
  'budget_overrun',
  'budget_unsettled',
  'credential_benched',
] as const

export type AlertType = (typeof ALERT_TYPES)[number]

export type AlertSettings = {
  /** Parts of every budget at which somebody is told, where the budget itself says nothing; rising. */
  readonly thresholds: readonly number[]
  /** How long work may take that outlasts its answer before somebody is told that it is held for. */
  readonly unsettledAfterMs: number
  readonly webhooks: readonly WebhookSettings[]
}

/** Somebody who is told of alerts by a signed POST. */
export type WebhookSettings = {
  readonly name: string
  /** May hold a secret, in its path or query. */
  readonly url: string
  /** `whsec_…`, the newest first: each signs, so that a receiver may still have the one before. */
  readonly secrets: readonly string[]
  readonly events: readonly AlertType[]
  /** Globs of the subjects of budgets, and of credentials: `credential/PROVIDER/NAME`. */
  readonly subjects: readonly string[]
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly privateAddresses: boolean
  /** The environment's proxy on the way to it; `undefined`: connect directly. */
  readonly proxy: string | undefined
}
