import type { AttemptRow, HeldBesideColumn, HeldColumn, RequestRow } from '../db/log-schema'
import type { BeginRecord, HeldRecord, HoldRecord, SpentRecord } from './records'

/** What is held for an attempt; its number is known where it began beside another one. */
export type OpenHold = HeldRecord & { readonly attempt?: number | undefined }

/** What is known of a request that has begun; begins from the journal, or from its open row. */
export type OpenRequest = {
  begin: BeginRecord | undefined
  attempts: AttemptRow[]
  /** What was held last for the attempt that the request goes on with. */
  held: OpenHold | undefined
  /** What is held for an attempt beside it. */
  beside: readonly (HeldRecord & { readonly attempt: number })[]
}

// The journal may be read twice, the second time upon what the first one left: both must come to the same.

/** Takes what is held from now on. */
export function noteHold(request: OpenRequest, record: HoldRecord): void {
  const { model, costNanoUsd, credential, beside } = record
  const held: HeldRecord = { model, costNanoUsd, ...(credential !== undefined && { credential }) }
  if (beside === undefined) request.held = held
  else if (!isKnown(request, beside))
    request.beside = [...request.beside, { ...held, attempt: beside }]
}

function isKnown({ held, beside, attempts }: OpenRequest, number: number): boolean {
  if (held?.attempt === number || beside.some(({ attempt }) => attempt === number)) return true
  return attempts.some((attempt) => attempt.number === number && attempt.spent !== undefined)
}

/** Takes what an attempt has come to: nothing is held for it any more. */
export function noteSpent(
  request: OpenRequest,
  { number, cost, inputTokens, outputTokens }: SpentRecord
): void {
  const attempt = request.attempts.find((one) => one.number === number)
  if (attempt === undefined || attempt.spent !== undefined) return
  const { provenance = 'none', costNanoUsd } = cost ?? {}
  attempt.spent = { provenance, costNanoUsd, inputTokens, outputTokens }
  const others = request.beside.filter((one) => one.attempt !== number)
  if (others.length === request.beside.length) request.held = others.shift()
  request.beside = others
}

/** What is held for a request whose open row outlived the process that wrote it. */
export function readHeldColumn({ held }: RequestRow): Pick<OpenRequest, 'held' | 'beside'> {
  if (held === null) return { held: undefined, beside: [] }
  const [model, costNanoUsd, credential, attempt, beside = []] = held
  return {
    held: { ...toHeld(model, costNanoUsd, credential), attempt: attempt ?? undefined },
    beside: beside.map(readBesideColumn),
  }
}

function readBesideColumn([model, costNanoUsd, credential, attempt]: HeldBesideColumn) {
  return Object.assign(toHeld(model, costNanoUsd, credential), { attempt })
}

function toHeld(
  model: string,
  costNanoUsd: number | null,
  credential: string | null | undefined
): HeldRecord {
  return { model, costNanoUsd: costNanoUsd ?? undefined, credential: credential ?? undefined }
}

/** The column of what is held for a request; null for nothing. */
export function toHeldColumn({
  held,
  beside,
}: Pick<OpenRequest, 'held' | 'beside'>): string | null {
  if (held === undefined) return null
  const { model, costNanoUsd, credential, attempt } = held
  const column: HeldColumn = [model, costNanoUsd ?? null]
  if (attempt !== undefined || beside.length > 0)
    column.push(credential ?? null, attempt ?? null, beside.map(toBesideColumn))
  else if (credential !== undefined) column.push(credential)
  return JSON.stringify(column)
}

function toBesideColumn(held: HeldRecord & { readonly attempt: number }): HeldBesideColumn {
  return [held.model, held.costNanoUsd ?? null, held.credential ?? null, held.attempt]
}
