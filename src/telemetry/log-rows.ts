import type {
  AttemptRow,
  CostDetail,
  OwnerColumn,
  RequestBodiesRow,
  RequestRow,
} from '../db/log-schema'
import type { LedgerEntryInsert, RequestInsert } from '../db/log-writer'
import type { Cost } from '../pricing/cost'
import { rareUsage, type Usage } from '../protocols/usage'
import { type OpenRequest, toHeldColumn } from './open-holds'
import type { AttemptRecord, BeginRecord, BodiesRecord, EndRecord } from './records'
import type { CounterState, RefusalsRecord, RequestOwner, RouteFacts, SpentRecord } from './records'
import { totalOf } from './spent-total'

/** The final row of a request. `begin` is missing when the disk did not take it. */
export function toFinalRow(open: OpenRequest | undefined, end: EndRecord): RequestInsert {
  const begin = open?.begin
  const { usage } = end
  const total = totalOf(end, open?.attempts ?? [])
  return {
    ...toBeginColumns(begin, end.requestId, end.endedAtMs - Math.round(end.totalMs)),
    endedAtMs: end.endedAtMs,
    provider: end.provider ?? null,
    model: end.servedModel ?? null,
    status: end.status,
    outcome: end.outcome,
    errorCode: end.errorCode ?? null,
    errorMessage: end.errorMessage ?? null,
    inputTokens: total.inputTokens ?? null,
    outputTokens: total.outputTokens ?? null,
    cacheReadTokens: usage?.cacheReadTokens ?? null,
    cacheWriteTokens: usage?.cacheWriteTokens ?? null,
    reasoningTokens: usage?.reasoningTokens ?? null,
    audioInputTokens: usage?.audioInputTokens ?? null,
    audioOutputTokens: usage?.audioOutputTokens ?? null,
    usageProvenance: total.usageProvenance ?? null,
    finishReasons: JSON.stringify(end.finishReasons),
    firstTokenMs: end.firstTokenMs ?? null,
    totalMs: end.totalMs,
    gatewayMs: end.gatewayMs,
    answerBytes: end.answerBytes,
    attempts: toAttemptsColumn(open?.attempts ?? []),
    count: 1,
    journalSegment: null,
    lossy: end.lossy ?? null,
    costNanoUsd: total.costNanoUsd ?? null,
    costProvenance: total.provenance ?? null,
    costDetail: end.cost ? toCostDetail(end.cost) : null,
    usageDetail: usage ? toUsageDetail(usage) : null,
    held: null,
    route: end.route ? toRouteColumn(end.route) : null,
  }
}

const routeColumns = new WeakMap<RouteFacts, string>()

/** Those that many requests share are one object, and so one text. */
function toRouteColumn(facts: RouteFacts): string {
  const known = routeColumns.get(facts)
  if (known !== undefined) return known
  const column = JSON.stringify(facts)
  routeColumns.set(facts, column)
  return column
}

function toCostDetail({ priceOrigin, tier, aboveInputTokens, lines }: Cost): string {
  const detail: CostDetail = [
    priceOrigin ?? null,
    tier ?? null,
    aboveInputTokens ?? null,
    lines.map(({ kind, quantity, rate, costNanoUsd }) => [kind, quantity, rate, costNanoUsd]),
  ]
  return JSON.stringify(detail)
}

function toUsageDetail(usage: Usage): string | null {
  const rare = rareUsage(usage)
  return rare === undefined ? null : JSON.stringify(rare)
}

/** The row of a request without an end: still running, or lost with the process that served it. */
export function toOpenRow(
  open: OpenRequest,
  begin: BeginRecord,
  outcome: 'open' | 'lost',
  journalSegment: number | null
): RequestInsert {
  return {
    ...NOTHING_KNOWN,
    ...toBeginColumns(begin, begin.id, begin.startedAtMs),
    outcome,
    attempts: toAttemptsColumn(open.attempts),
    held: toHeldColumn(open),
    journalSegment,
  }
}

/** One row for many refusals. */
export function toRefusalsRow(record: RefusalsRecord): RequestInsert {
  return {
    ...NOTHING_KNOWN,
    ...toBeginColumns(undefined, record.id, record.startedAtMs),
    endedAtMs: record.endedAtMs,
    status: record.status,
    outcome: 'refused',
    errorCode: record.errorCode,
    count: record.count,
  }
}

export function toCounterColumns({ limitId, name, endsAtMs, stretches }: CounterState) {
  return { limitId, name, endsAtMs: endsAtMs ?? null, stretches: JSON.stringify(stretches) }
}

export function toBodiesRow(record: BodiesRecord): RequestBodiesRow {
  const { requestId, request, answer, requestTruncated, answerTruncated } = record
  return { requestId, request, answer, requestTruncated, answerTruncated }
}

/** Unknown fields are left out of the list's JSON. */
export function toAttemptRow(record: AttemptRecord): AttemptRow {
  return {
    number: record.number,
    provider: record.provider,
    model: record.model,
    credential: record.credential,
    startedAfterMs: record.startedAfterMs,
    durationMs: record.durationMs,
    headMs: record.headMs,
    status: record.status,
    outcome: record.outcome,
    errorCode: record.errorCode,
    errorMessage: record.errorMessage,
    upstreamRequestId: record.upstreamRequestId,
    retryOf: record.retryOf,
    possiblyBilledTwice: record.possiblyBilledTwice || undefined,
  }
}

/** The begin of a request whose open row outlived the process that wrote it. */
export function toBeginRecord(row: RequestRow): BeginRecord {
  return {
    kind: 'begin',
    id: row.id,
    startedAtMs: row.startedAtMs,
    clientRequestId: row.clientRequestId ?? undefined,
    keyId: row.keyId ?? undefined,
    keyName: row.keyName ?? undefined,
    api: row.api ?? undefined,
    operation: row.operation ?? undefined,
    requestedModel: row.requestedModel ?? undefined,
    stream: row.stream,
    bodyBytes: row.bodyBytes ?? 0,
    of: row.owner ? toOwner(row.owner) : undefined,
    admittedAtMs: row.owner?.[5] ?? undefined,
    held: undefined,
  }
}

function toOwnerColumn(
  { organization, team, user, session, tags }: RequestOwner,
  admittedAtMs: number | undefined
): string {
  const known = [organization, team ?? null, user ?? null, session ?? null, tags]
  return JSON.stringify(admittedAtMs === undefined ? known : [...known, admittedAtMs])
}

function toOwner([organization, team, user, session, tags]: OwnerColumn): RequestOwner {
  return {
    organization,
    team: team ?? undefined,
    user: user ?? undefined,
    session: session ?? undefined,
    tags,
  }
}

export function toAttemptsColumn(attempts: AttemptRow[]): string {
  return attempts.length === 0 ? '[]' : JSON.stringify(attempts)
}

function toBeginColumns(begin: BeginRecord | undefined, id: string, startedAtMs: number) {
  return {
    id,
    startedAtMs: begin?.startedAtMs ?? startedAtMs,
    clientRequestId: begin?.clientRequestId ?? null,
    keyId: begin?.keyId ?? null,
    keyName: begin?.keyName ?? null,
    api: begin?.api ?? null,
    operation: begin?.operation ?? null,
    requestedModel: begin?.requestedModel ?? null,
    stream: begin?.stream ?? false,
    bodyBytes: begin?.bodyBytes ?? null,
    owner: begin?.of ? toOwnerColumn(begin.of, begin.admittedAtMs) : null,
  }
}

const NOTHING_KNOWN = {
  ...{ endedAtMs: null, provider: null, model: null, status: null, errorCode: null },
  ...{ errorMessage: null, inputTokens: null, outputTokens: null, cacheReadTokens: null },
  ...{ cacheWriteTokens: null, reasoningTokens: null, audioInputTokens: null },
  ...{ audioOutputTokens: null, usageProvenance: null, finishReasons: null },
  ...{ firstTokenMs: null, totalMs: null, gatewayMs: null, answerBytes: null },
  ...{ attempts: null, count: 1, journalSegment: null, lossy: null },
  ...{ costNanoUsd: null, costProvenance: null, costDetail: null, usageDetail: null, held: null },
  route: null,
} as const

/**
 * What an admitted request came to, for the ledger; `undefined` where it was not admitted, or its begin was never read.
 * Without an end its process has died: what was held for it counts as spent, until somebody knows better.
 */
export function toLedgerEntry(
  { begin, held, attempts }: OpenRequest,
  end: EndRecord | undefined
): LedgerEntryInsert | undefined {
  if (begin?.of === undefined) return undefined
  const isOpen = end === undefined && held !== undefined
  // The last one has an entry of its own, and nobody was asked behind it.
  const isSettled =
    held === undefined && end?.cost === undefined && attempts.at(-1)?.spent !== undefined
  const last = isSettled ? undefined : lastOf(attempts)
  const model = isSettled ? undefined : (end?.servedModel ?? held?.model)
  return {
    ...toOwnerColumns(begin, begin.of),
    kind: 'request',
    attempt: last?.number ?? 0,
    provider: isSettled ? null : (end?.provider ?? providerOf(model)),
    model: model ?? null,
    credential: held ? (held.credential ?? null) : credentialOf(last),
    costNanoUsd: (isOpen ? held.costNanoUsd : end?.cost?.costNanoUsd) ?? null,
    heldNanoUsd: held?.costNanoUsd ?? null,
    inputTokens: end?.cost ? (end.usage?.inputTokens ?? null) : null,
    outputTokens: end?.cost ? (end.usage?.outputTokens ?? null) : null,
    provenance: end?.cost?.provenance ?? (isOpen ? 'unresolved' : 'none'),
    priceList: end?.cost?.priceOrigin ?? null,
  }
}

/** The same where what is held stays held behind the request's end: nothing of it is spent yet. */
export function toDeferredEntry(entry: LedgerEntryInsert): LedgerEntryInsert {
  return {
    ...entry,
    ...{ costNanoUsd: null, inputTokens: null, outputTokens: null, priceList: null },
    provenance: 'deferred',
  }
}

/**
 * The last attempt of a request before something is held for another target: nobody answered it, and it counts. `undefined`
 * where none was made.
 */
export function toAttemptEntry({
  begin,
  held,
  attempts,
}: OpenRequest): LedgerEntryInsert | undefined {
  const attempt = lastOf(attempts)?.number
  if (begin?.of === undefined || held === undefined || attempt === undefined) return undefined
  return {
    ...toOwnerColumns(begin, begin.of),
    ...{ kind: 'attempt', attempt, provider: providerOf(held.model), model: held.model },
    credential: held.credential ?? null,
    ...{ costNanoUsd: null, heldNanoUsd: null, inputTokens: null, outputTokens: null },
    ...{ provenance: 'none', priceList: null },
  }
}

/** The attempt that the request goes on with: others have entries of their own. */
function lastOf(attempts: readonly AttemptRow[]): AttemptRow | undefined {
  return attempts.findLast(({ spent }) => spent === undefined)
}

/** What an attempt came to beside the one that its request ends with; `undefined` where that was not admitted. */
export function toSpentEntry(
  { begin }: OpenRequest,
  { number, held, cost, inputTokens, outputTokens }: SpentRecord
): LedgerEntryInsert | undefined {
  if (begin?.of === undefined) return undefined
  return {
    ...toOwnerColumns(begin, begin.of),
    ...{ kind: 'attempt', attempt: number, provider: providerOf(held.model), model: held.model },
    credential: held.credential ?? null,
    costNanoUsd: cost?.costNanoUsd ?? null,
    heldNanoUsd: held.costNanoUsd ?? null,
    inputTokens: cost ? (inputTokens ?? null) : null,
    outputTokens: cost ? (outputTokens ?? null) : null,
    provenance: cost?.provenance ?? 'none',
    priceList: cost?.priceOrigin ?? null,
  }
}

/** What was held beside for a request whose process has died: it counts as spent too. */
export function toBesideEntries({ begin, beside }: OpenRequest): LedgerEntryInsert[] {
  if (begin?.of === undefined) return []
  const owner = toOwnerColumns(begin, begin.of)
  return beside.map(({ attempt, model, credential, costNanoUsd }) => ({
    ...owner,
    ...{ kind: 'attempt', attempt, provider: providerOf(model), model },
    credential: credential ?? null,
    costNanoUsd: costNanoUsd ?? null,
    heldNanoUsd: costNanoUsd ?? null,
    ...{ inputTokens: null, outputTokens: null, provenance: 'unresolved', priceList: null },
  }))
}

function toOwnerColumns(begin: BeginRecord, of: RequestOwner) {
  return {
    requestId: begin.id,
    admittedAtMs: begin.admittedAtMs ?? begin.startedAtMs,
    organization: of.organization,
    team: of.team ?? null,
    keyId: begin.keyId ?? null,
    keyName: begin.keyName ?? null,
    user: of.user ?? null,
    session: of.session ?? null,
    tags: of.tags.length > 0 ? JSON.stringify(of.tags) : null,
  }
}

/** As limits call it. */
function credentialOf(attempt: AttemptRow | undefined): string | null {
  return attempt?.credential === undefined ? null : `${attempt.provider}/${attempt.credential}`
}

function providerOf(model: string | undefined): string | null {
  return model?.slice(0, model.indexOf('/')) ?? null
}
