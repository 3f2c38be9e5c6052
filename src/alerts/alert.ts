import type { AlertType } from '../config/alerts'
import type { DeferredHold } from '../ledger/deferred-holds'
import type { GovernorEvent } from '../ledger/tell-budgets'
import type { BenchEvent } from '../providers/credential-pool'
import { describeAmount, describeLimit } from '../ledger/refusals'
import type { Limit } from '../limits/limit'
import { formatUsd } from '../pricing/format-usd'

/** Money, as a decimal text that no reader rounds, and as a whole number. */
export type AmountView = { readonly usd: string; readonly nano_usd: number }

export type UnsettledView = {
  /** The request's id, its `x-request-id`. */
  readonly request: string
  /** What the provider calls the work. */
  readonly reference: string
  /** ISO 8601. */
  readonly since: string
  readonly held: AmountView
}

/** What webhooks are sent, as JSON. These names are a contract: they may grow, not change. */
export type AlertView = BudgetAlertView | CredentialAlertView

type CommonView = {
  readonly type: AlertType
  /** The same in all attempts, and in the header `webhook-id`. */
  readonly id: string
  /** When it happened, ISO 8601. */
  readonly time: string
  /** It in a sentence, for people. */
  readonly text: string
  /** Whose budget, as it was configured: `key/app`, `user/*`; or `credential/PROVIDER/NAME`. */
  readonly subject: string
  /** A sample: nothing of it happened. */
  readonly test?: true
}

/** One of several credentials of a provider is out of use. */
export type CredentialAlertView = CommonView & {
  readonly provider: string
  readonly credential: string
  /** The only model that it is kept from, as its host calls it; `null` for all. */
  readonly model: string | null
  /** `refused`, `forbidden`, `unpaid`, `used_up` or `unobtainable`. */
  readonly reason: string
  /** When it is tried again, ISO 8601. */
  readonly until: string
}

export type BudgetAlertView = CommonView & {
  /** Which of its counters: `user/* ann`. */
  readonly account: string
  readonly unit: 'usd'
  readonly limit: AmountView
  readonly used: AmountView
  /** The worst case of all that is under way. */
  readonly reserved: AmountView
  /** The part of the limit that was reached; `null` in other events. */
  readonly threshold: number | null
  /** As it was written; `null` for good. */
  readonly window: string | null
  /** When something of what counts is forgotten, ISO 8601; `null` for never. */
  readonly resets_at: string | null
  /** What the refused request asked for, at its worst. */
  readonly requested?: AmountView
  /** How much more a request cost than was held for it. */
  readonly overrun?: AmountView
  /** What has been held for long, for work behind its answer. */
  readonly unsettled?: UnsettledView
}

/** What an event of the governor says to webhooks. */
export function toAlertView(event: GovernorEvent, nowMs: number): BudgetAlertView {
  const { account } = event
  const { limit } = account
  const { spent, reserved, resetAtMs } = account.standing(nowMs)
  return {
    type: `budget_${event.kind}`,
    id: Bun.randomUUIDv7(),
    time: new Date(nowMs).toISOString(),
    text: describe(event),
    subject: limit.subject.text,
    account: account.name,
    unit: 'usd',
    limit: viewAmount(limit.amount),
    used: viewAmount(spent),
    reserved: viewAmount(reserved),
    threshold: event.kind === 'threshold' ? event.at : null,
    window: limit.windowText ?? null,
    resets_at: resetAtMs === undefined ? null : new Date(resetAtMs).toISOString(),
    ...(event.kind === 'exceeded' && { requested: viewAmount(event.wanted) }),
    ...(event.kind === 'overrun' && { overrun: viewAmount(event.overrun) }),
    ...(event.kind === 'unsettled' && { unsettled: viewUnsettled(event.deferred, event.held) }),
  }
}

/** What the benching of a credential says to webhooks. */
export function toCredentialAlert(event: BenchEvent, nowMs: number): CredentialAlertView {
  const { provider, credential, model, fault, forMs } = event
  const until = new Date(nowMs + forMs).toISOString()
  const of = model === undefined ? '' : ` for the model '${model}'`
  return {
    type: 'credential_benched',
    id: Bun.randomUUIDv7(),
    time: new Date(nowMs).toISOString(),
    text: `the credential '${credential}' of the provider '${provider}' is not used${of} until ${until}: ${fault}`,
    subject: `credential/${provider}/${credential}`,
    ...{ provider, credential, model: model ?? null, reason: fault, until },
  }
}

/** An alert to try a webhook with. */
export function createSampleAlert(type: AlertType, nowMs: number): AlertView {
  if (type === 'credential_benched') {
    const sample = {
      provider: 'sample',
      credential: 'one',
      model: undefined,
      fault: 'refused',
    } as const
    const text = 'This is a test of a webhook: no credential is out of use.'
    return { ...toCredentialAlert({ ...sample, forMs: 60_000 }, nowMs), text, test: true }
  }
  return {
    type,
    id: Bun.randomUUIDv7(),
    time: new Date(nowMs).toISOString(),
    text: 'This is a test of a webhook: no budget has changed.',
    subject: 'key/sample',
    account: 'key/sample',
    unit: 'usd',
    limit: viewAmount(10_000_000_000),
    used: viewAmount(8_000_000_000),
    reserved: viewAmount(250_000_000),
    threshold: type === 'budget_threshold' ? 0.8 : null,
    window: '30d',
    resets_at: new Date(nowMs + 86_400_000).toISOString(),
    ...(type === 'budget_exceeded' && { requested: viewAmount(2_500_000_000) }),
    ...(type === 'budget_overrun' && { overrun: viewAmount(1_000_000) }),
    ...(type === 'budget_unsettled' && {
      unsettled: viewUnsettled(
        {
          requestId: Bun.randomUUIDv7(),
          reference: 'batch_sample',
          deferredAtMs: nowMs - 259_200_000,
        },
        250_000_000
      ),
    }),
    test: true,
  }
}

function describe(event: GovernorEvent): string {
  const { name, limit, amount } = event.account
  const budget = `the budget of ${name}, ${describeLimit(limit, amount)},`
  switch (event.kind) {
    case 'threshold':
      return `${budget} has reached ${toPercent(event.at)}: ${say(limit, event.spent)} are spent`
    case 'exceeded':
      return `${budget} has no room for a request of up to ${say(limit, event.wanted)}`
    case 'overrun':
      return `${budget} was charged ${say(limit, event.overrun)} more than was held for a request`
    case 'unsettled':
      return `${budget} has held ${say(limit, event.held)} for ${event.deferred.reference} since ${toTime(event.deferred.deferredAtMs)}: nobody has told what it cost`
  }
}

const say = ({ unit }: Limit, amount: number) => describeAmount(unit, amount)

const toTime = (atMs: number) => new Date(atMs).toISOString()

const toPercent = (part: number) => `${Number((part * 100).toFixed(6))} %`

function viewUnsettled(
  {
    requestId,
    reference,
    deferredAtMs,
  }: Pick<DeferredHold, 'requestId' | 'reference' | 'deferredAtMs'>,
  held: number
): UnsettledView {
  return { request: requestId, reference, since: toTime(deferredAtMs), held: viewAmount(held) }
}

function viewAmount(nanoUsd: number): AmountView {
  return { usd: formatUsd(nanoUsd), nano_usd: nanoUsd }
}
