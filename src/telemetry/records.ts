import type { OwnedKind, OwnedObject } from '../db/owned-objects'
import type { CheckpointLimit } from '../limits/checkpoint-limit'
import type { Cost, CostProvenance } from '../pricing/cost'
import type { Usage, UsageProvenance } from '../protocols/usage'

/**
 * The facts of one request as they are written down: a *begin* once its caller and model are known, an
 * *attempt* for each upstream call that ended, an *end* before the answer ends. The log row, `GET
 * /v1/requests/{id}` and the command line are views of these three. Times are epoch milliseconds
 * where the name ends in `AtMs`, else durations in milliseconds with fractions.
 */
export type BeginRecord = {
  kind: 'begin'
  /** Ours: a UUIDv7, the `x-request-id` of the answer. */
  id: string
  startedAtMs: number
  /** The caller's own `x-request-id`, logged beside ours and never trusted. */
  clientRequestId: string | undefined
  keyId: string | undefined
  keyName: string | undefined
  /** The client API, e.g. `openai-chat`; `undefined` for a request refused before it was known. */
  api: string | undefined
  operation: string | undefined
  requestedModel: string | undefined
  stream: boolean
  bodyBytes: number
  /** Whose request it is, beside its key; `undefined` for one refused before that was known. */
  of: RequestOwner | undefined
  /** When it was admitted: its costs belong to the windows of this time. */
  admittedAtMs: number | undefined
  /** What was held for its first target, before it was written down; `undefined` for nothing. */
  held: HeldRecord | undefined
}

/** Whom a request counts for. */
export type RequestOwner = {
  readonly organization: string
  readonly team: string | undefined
  readonly user: string | undefined
  readonly session: string | undefined
  readonly tags: readonly string[]
}

/** What is held for a request: should the process die, it counts as spent. */
export type HeldRecord = {
  /** The target, `provider/model`. */
  readonly model: string
  /** The worst case in nano-USD; `undefined` where the model has no price. */
  readonly costNanoUsd: number | undefined
  /** `provider/name`, of a provider with several. */
  readonly credential?: string | undefined
}

/** What is held for a request from now on, in the place of what was, or beside it. */
export type HoldRecord = HeldRecord & {
  readonly kind: 'hold'
  readonly requestId: string
  /** The number of the attempt that it is for, where another one goes on with what was held before. */
  readonly beside?: number | undefined
}

/**
 * What an attempt came to beside the one that its request ends with: it ran beside another that won, or its stream broke
 * and another one went on. What was held for it is held no more; what else is held is the request's from then on.
 */
export type SpentRecord = {
  readonly kind: 'spent'
  readonly requestId: string
  /** The attempt's. */
  readonly number: number
  readonly held: HeldRecord
  /** `undefined` where nothing was used. */
  readonly cost: Cost | undefined
  readonly inputTokens: number | undefined
  readonly outputTokens: number | undefined
}

export type AttemptOutcome = 'ok' | 'failed' | 'cancelled'

export type AttemptRecord = {
  kind: 'attempt'
  requestId: string
  /** 1 for the first. */
  number: number
  provider: string
  /** The model name sent upstream. */
  model: string
  /** Which of the provider's several credentials, by name; `undefined` where it has one. */
  credential: string | undefined
  /** Milliseconds after the request's start. */
  startedAfterMs: number
  durationMs: number
  /** To the response head; unknown when none came. */
  headMs: number | undefined
  /** The upstream's status; unknown when no head came. */
  status: number | undefined
  outcome: AttemptOutcome
  errorCode: string | undefined
  errorMessage: string | undefined
  upstreamRequestId: string | undefined
  /**
   * Why this attempt followed another of its target: `http2_refused`, `connection_reset`, `credential_refused`,
   * `credential_rotated` or `backoff`; `hedged` where the one before was slow, `continued` where its stream broke off.
   */
  retryOf: string | undefined
  /** The attempt before may have reached the model too, so the provider may bill both. */
  possiblyBilledTwice: boolean
}

export type RequestOutcome = 'ok' | 'refused' | 'failed' | 'cancelled' | 'lost'

export type EndRecord = {
  kind: 'end'
  requestId: string
  endedAtMs: number
  /** The status the client saw; 499 when it left first. */
  status: number
  /** `refused`: by the gateway itself. `failed`: by the upstream or an error of ours. */
  outcome: RequestOutcome
  errorCode: string | undefined
  errorMessage: string | undefined
  provider: string | undefined
  /** The model that answered, `provider/model`. */
  servedModel: string | undefined
  finishReasons: string[]
  /** What a translation could not say, as `x-tg-lossy` has it. */
  lossy: string | undefined
  usage: Usage | undefined
  usageProvenance: UsageProvenance | undefined
  /** `undefined` where no model was asked or none answered. */
  cost: Cost | undefined
  firstTokenMs: number | undefined
  totalMs: number
  /** What the gateway itself added, upstream waits excluded. */
  gatewayMs: number
  answerBytes: number
  /** How its targets were chosen; `undefined` where there was no choice. */
  route: RouteFacts | undefined
}

/** How the targets of a request were chosen: names are `provider/model`, reasons are words for people. */
export type RouteFacts = {
  /** Routes and strategies, the outermost first. */
  readonly path: readonly string[]
  /** In the order in which they were to be asked. */
  readonly candidates: readonly NamedReason[]
  /** Left out before. */
  readonly excluded: readonly NamedReason[]
  /** Candidates that were passed by when their turn had come. */
  readonly passed: readonly NamedReason[]
  readonly notes: readonly string[]
  /** Many requests have these very facts, as one object: they are written out once. */
  readonly isShared?: true
}

export type NamedReason = readonly [name: string, reason: string]

/**
 * What is held for a request stays held behind its end, which follows at once: what it used is told later, perhaps to
 * another process.
 */
export type DeferRecord = {
  readonly kind: 'defer'
  readonly requestId: string
  readonly deferredAtMs: number
  /** What the provider calls the work: a batch's id. */
  readonly reference: string
  /** The most that is held of tokens; 0 where no limit counts the request. */
  readonly inputTokens: number
  readonly outputTokens: number
}

/** What a request came to whose hold was deferred. */
export type SettlementRecord = Settlement & {
  readonly kind: 'settlement'
  readonly requestId: string
  readonly settledAtMs: number
}

/** What was used, all of it. */
export type Settlement = {
  /** `undefined` is unknown: then what was held counts. */
  readonly costNanoUsd?: number | undefined
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  /** As the cost's; `none` where nothing was used. */
  readonly provenance: CostProvenance | 'none'
  /** The price list, as the cost's. */
  readonly priceOrigin?: string | undefined
}

/** Both bodies, capped and redacted, for requests whose bodies are kept. */
export type BodiesRecord = {
  kind: 'bodies'
  requestId: string
  request: string
  answer: string
  requestTruncated: boolean
  answerTruncated: boolean
}

/** Refusals beyond the rate that is logged one by one, counted by what they have in common. */
export type RefusalsRecord = {
  kind: 'refusals'
  id: string
  startedAtMs: number
  endedAtMs: number
  status: number
  errorCode: string
  count: number
}

/**
 * A checkpoint of the ledger's counters, in the order of the ends that they count: it begins, has any number of
 * records with counters that changed since the one before, and ends. Marks only rise, in later processes too, so that
 * what is read twice counts once.
 */
export type CheckpointRecord =
  | {
      readonly kind: 'checkpoint-begin'
      readonly mark: number
      /** Limits whose counters are complete: of others nothing that was said before holds. Left out: as before. */
      readonly complete?: readonly string[] | undefined
    }
  /** Only a place: what was counted before it can be told from what was counted after. */
  | { readonly kind: 'mark'; readonly mark: number }
  | {
      readonly kind: 'counters'
      readonly mark: number
      readonly counters: readonly CounterState[]
    }
  | {
      readonly kind: 'checkpoint-end'
      readonly mark: number
      /** The mark of the end of the checkpoint that this one goes on from; 0: it has every counter. */
      readonly after: number
      /** How many counters it has. */
      readonly count: number
      /** The limits whose counters are complete in it. */
      readonly limits: readonly CheckpointLimit[]
    }

/** What one counter of a limit has spent. */
export type CounterState = {
  readonly limitId: string
  readonly name: string
  /** From then on it says nothing any more; `undefined`: never. */
  readonly endsAtMs: number | undefined
  readonly stretches: readonly (readonly [number: number, spent: number])[]
}

/** An id that a provider gave out belongs to the key that asked for it. */
export type OwnRecord = { readonly kind: 'own'; readonly object: OwnedObject }

/** It is gone. */
export type DisownRecord = {
  readonly kind: 'disown'
  readonly objectKind: OwnedKind
  readonly id: string
}

export type LogRecord =
  | BeginRecord
  | HoldRecord
  | AttemptRecord
  | SpentRecord
  | EndRecord
  | DeferRecord
  | SettlementRecord
  | OwnRecord
  | DisownRecord
  | BodiesRecord
  | RefusalsRecord
  | CheckpointRecord
