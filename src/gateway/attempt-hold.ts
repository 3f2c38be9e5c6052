import type { Grant, Reservation } from '../ledger/governor'
import type { InputBound } from '../ledger/input-bound'
import type { TokenEstimator } from '../pricing/token-estimator'
import type { Envelope } from '../protocols/envelope'
import type { PromptText } from '../protocols/estimate-tokens'
import type { AnswerFacts } from '../protocols/protocol'
import type { Usage } from '../protocols/usage'
import type { PlannedTarget } from '../routing/plan'
import type { Target } from '../routing/target'
import type { HeldRecord, HoldRecord, SpentRecord } from '../telemetry/records'
import { meter, type Metered } from './meter'
import { reserve, toHeldRecord, toUnheld, toUsed, UNLIMITED } from './reserve'
import type { RequestRecord } from './request-record'

export type AttemptHoldOptions = {
  grant: Grant
  log: { hold(record: HoldRecord): void; spent(record: SpentRecord): void }
  estimator: TokenEstimator
  record: RequestRecord
  /** The words of the request. */
  prompt(): PromptText
}

/** An attempt that is settled by itself. */
export type SettledAttempt = {
  number: number
  target: Target
  /** What is known of its answer; `undefined` where it used nothing. */
  facts: AnswerFacts | undefined
}

/**
 * What is held for one attempt by itself, and an entry of its own in the ledger: for one beside another of its request,
 * or for one that another goes on with.
 */
export class AttemptHold {
  readonly grant: Grant
  readonly #options: AttemptHoldOptions
  /** What the journal knows to be held. */
  held: HeldRecord | undefined

  /** `grant` is a fork of the request's. */
  constructor(options: AttemptHoldOptions) {
    this.#options = options
    this.grant = options.grant
  }

  /** Holds what attempt `number` may cost, beside what its request holds. */
  reserve(
    planned: PlannedTarget,
    number: number,
    envelope: Envelope,
    bound: InputBound
  ): Reservation {
    if (this.grant.isUnlimited) return UNLIMITED
    const reservation = reserve(this.grant, planned, envelope, bound)
    this.held = toHeldRecord(planned.target, reservation)
    const { log, record } = this.#options
    if (this.held) log.hold({ kind: 'hold', requestId: record.id, ...this.held, beside: number })
    return reservation
  }

  /**
   * Books what the attempt used, which is estimated where its provider did not say, and gives the rest back. Gives the
   * usage. To be called when the attempt itself is written down; never rejects.
   */
  async settle({ number, target, facts }: SettledAttempt): Promise<Usage | undefined> {
    const { estimator, log, record, prompt } = this.#options
    const used: Metered = {
      // Whatever it was, what nobody counted is estimated.
      operation: 'generate',
      ...{ serviceTier: record.serviceTier, facts, target },
      ...{ isUsageEstimated: false, cost: undefined },
    }
    await meter(estimator, { record: used, isCut: true, prompt })
    const usage = used.facts?.usage
    this.grant.settle(toUsed(used))
    record.spentNanoUsd += used.cost?.costNanoUsd ?? 0
    log.spent({
      ...{ kind: 'spent', requestId: record.id, number },
      held: this.held ?? toUnheld(target),
      cost: used.cost,
      ...{ inputTokens: usage?.inputTokens, outputTokens: usage?.outputTokens },
    })
    return usage
  }
}
