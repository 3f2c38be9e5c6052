import type { Cost } from '../pricing/cost'
import { rareUsage, type Usage } from '../protocols/usage'
import type { ByteWriter } from '../std/byte-writer'
import { encodeDeferred } from './journal-deferred'
import { encodeOwned } from './journal-owned'
import { encodeRoute } from './journal-route'
import type { AttemptRecord, BeginRecord, BodiesRecord, EndRecord } from './records'
import type {
  CheckpointRecord,
  CounterState,
  HeldRecord,
  HoldRecord,
  LogRecord,
  RefusalsRecord,
  RequestOwner,
  SpentRecord,
} from './records'

type CheckpointBegin = Extract<CheckpointRecord, { kind: 'checkpoint-begin' }>

/**
 * A record in the journal is one line of JSON: a list of a letter for its kind, the version of that
 * kind's layout, and its fields in fixed order. Unknown values are null, flags 0 or 1, durations
 * whole microseconds, since writing out a double's digits costs more than all the rest.
 *
 * What each request has is written byte by byte, because a request waits for it. Identifiers are ours and need no
 * escaping.
 */
export function writeRecord(to: ByteWriter, record: LogRecord): void {
  switch (record.kind) {
    case 'begin':
      return writeBegin(to, record)
    case 'hold':
      return writeHold(to, record)
    case 'attempt':
      return writeAttempt(to, record)
    case 'spent':
      return writeSpent(to, record)
    case 'end':
      return writeEnd(to, record)
    case 'defer':
    case 'settlement':
      return to.text(encodeDeferred(record))
    case 'own':
    case 'disown':
      return to.text(encodeOwned(record))
    case 'bodies':
      return writeBodies(to, record)
    case 'refusals':
      return writeRefusals(to, record)
    case 'checkpoint-begin':
      return writeCheckpointBegin(to, record)
    case 'mark':
      return to.text(`["m",1,${record.mark}]\n`)
    case 'counters':
      return to.text(
        `${JSON.stringify(['c', 1, record.mark, record.counters.map(toCounterFields)])}\n`
      )
    case 'checkpoint-end':
      return to.text(
        `${JSON.stringify(['K', 1, record.mark, record.after, record.count, record.limits])}\n`
      )
  }
}

function writeCheckpointBegin(to: ByteWriter, { mark, complete }: CheckpointBegin): void {
  if (complete === undefined) return to.text(`["k",1,${mark}]\n`)
  to.text(`${JSON.stringify(['k', 2, mark, complete])}\n`)
}

function toCounterFields({ limitId, name, endsAtMs, stretches }: CounterState) {
  return [limitId, name, endsAtMs ?? null, stretches]
}

function writeBegin(to: ByteWriter, record: BeginRecord): void {
  to.ascii('["b",3,"')
  to.ascii(record.id)
  to.ascii('",')
  to.number(record.startedAtMs)
  writeText(to, record.clientRequestId)
  writeText(to, record.keyId)
  writeText(to, record.keyName)
  writeText(to, record.api)
  writeText(to, record.operation)
  writeText(to, record.requestedModel)
  writeFlag(to, record.stream)
  writeNumber(to, record.bodyBytes)
  to.ascii(',')
  writeOwner(to, record.of)
  writeNumber(to, record.admittedAtMs)
  to.ascii(',')
  writeHeld(to, record.held)
  to.ascii(']\n')
}

function writeHeld(to: ByteWriter, value: HeldRecord | undefined): void {
  if (value === undefined) return to.ascii('null')
  to.ascii('[')
  to.json(value.model)
  writeNumber(to, value.costNanoUsd)
  // Few have one.
  if (value.credential !== undefined) writeText(to, value.credential)
  to.ascii(']')
}

function writeOwner(to: ByteWriter, of: RequestOwner | undefined): void {
  if (of === undefined) return to.ascii('null')
  to.ascii('[')
  to.json(of.organization)
  writeText(to, of.team)
  writeText(to, of.user)
  writeText(to, of.session)
  // Most requests have no more than an organization.
  if (of.tags.length === 0) return to.ascii(',[]]')
  to.text(`,${JSON.stringify(of.tags)}]`)
}

function writeHold(to: ByteWriter, { requestId, beside, ...value }: HoldRecord): void {
  to.ascii(beside === undefined ? '["h",2,"' : '["h",3,"')
  to.ascii(requestId)
  to.ascii('",')
  writeHeld(to, value)
  if (beside !== undefined) writeNumber(to, beside)
  to.ascii(']\n')
}

function writeSpent(to: ByteWriter, record: SpentRecord): void {
  to.ascii('["s",1,"')
  to.ascii(record.requestId)
  to.ascii('"')
  writeNumber(to, record.number)
  to.ascii(',')
  writeHeld(to, record.held)
  to.ascii(',')
  writeCost(to, record.cost)
  writeNumber(to, record.inputTokens)
  writeNumber(to, record.outputTokens)
  to.ascii(']\n')
}

function writeAttempt(to: ByteWriter, record: AttemptRecord): void {
  to.ascii('["a",2,"')
  to.ascii(record.requestId)
  to.ascii('"')
  writeNumber(to, record.number)
  writeText(to, record.provider)
  writeText(to, record.model)
  writeMicros(to, record.startedAfterMs)
  writeMicros(to, record.durationMs)
  writeMicros(to, record.headMs)
  writeNumber(to, record.status)
  writeText(to, record.outcome)
  writeText(to, record.errorCode)
  writeText(to, record.errorMessage)
  writeText(to, record.upstreamRequestId)
  writeText(to, record.retryOf)
  writeFlag(to, record.possiblyBilledTwice)
  writeText(to, record.credential)
  to.ascii(']\n')
}

function writeEnd(to: ByteWriter, record: EndRecord): void {
  to.ascii('["e",5,"')
  to.ascii(record.requestId)
  to.ascii('"')
  writeNumber(to, record.endedAtMs)
  writeNumber(to, record.status)
  writeText(to, record.outcome)
  writeText(to, record.errorCode)
  writeText(to, record.errorMessage)
  writeText(to, record.provider)
  writeText(to, record.servedModel)
  to.ascii(',')
  writeTexts(to, record.finishReasons)
  to.ascii(',')
  writeUsage(to, record.usage)
  writeText(to, record.usageProvenance)
  writeMicros(to, record.firstTokenMs)
  writeMicros(to, record.totalMs)
  writeMicros(to, record.gatewayMs)
  writeNumber(to, record.answerBytes)
  writeText(to, record.lossy)
  to.ascii(',')
  writeCost(to, record.cost)
  to.ascii(',')
  if (record.route === undefined) to.ascii('null')
  else to.text(encodeRoute(record.route))
  to.ascii(']\n')
}

function writeBodies(to: ByteWriter, record: BodiesRecord): void {
  to.ascii('["d",1,"')
  to.ascii(record.requestId)
  to.ascii('"')
  writeText(to, record.request)
  writeText(to, record.answer)
  writeFlag(to, record.requestTruncated)
  writeFlag(to, record.answerTruncated)
  to.ascii(']\n')
}

function writeRefusals(to: ByteWriter, record: RefusalsRecord): void {
  to.ascii('["r",1,"')
  to.ascii(record.id)
  to.ascii('"')
  writeNumber(to, record.startedAtMs)
  writeNumber(to, record.endedAtMs)
  writeNumber(to, record.status)
  writeText(to, record.errorCode)
  writeNumber(to, record.count)
  to.ascii(']\n')
}

// A field is written with the comma before it.

function writeText(to: ByteWriter, value: string | undefined): void {
  if (value === undefined) return to.ascii(',null')
  to.ascii(',')
  to.json(value)
}

function writeNumber(to: ByteWriter, value: number | undefined): void {
  if (value === undefined) return to.ascii(',null')
  to.ascii(',')
  to.number(value)
}

function writeMicros(to: ByteWriter, valueMs: number | undefined): void {
  writeNumber(to, valueMs === undefined ? undefined : Math.round(valueMs * 1_000))
}

function writeFlag(to: ByteWriter, value: boolean): void {
  to.ascii(value ? ',1' : ',0')
}

function writeTexts(to: ByteWriter, values: string[]): void {
  const [first] = values
  // By far the most answers have one choice.
  if (values.length !== 1 || first === undefined) return to.text(JSON.stringify(values))
  to.ascii('[')
  to.json(first)
  to.ascii(']')
}

function writeUsage(to: ByteWriter, value: Usage | undefined): void {
  if (value === undefined) return to.ascii('null')
  to.ascii('[')
  if (value.inputTokens === undefined) to.ascii('null')
  else to.number(value.inputTokens)
  writeNumber(to, value.outputTokens)
  writeNumber(to, value.cacheReadTokens)
  writeNumber(to, value.cacheWriteTokens)
  writeNumber(to, value.reasoningTokens)
  writeNumber(to, value.audioInputTokens)
  writeNumber(to, value.audioOutputTokens)
  // Counts and words that few answers have; a tier is the provider's own word.
  const rare = rareUsage(value)
  if (rare === undefined) return to.ascii(',null]')
  to.text(`,${JSON.stringify(rare)}]`)
}

/** The price's origin is a file's name or ours; kinds and provenances are ours. */
function writeCost(to: ByteWriter, value: Cost | undefined): void {
  if (value === undefined) return to.ascii('null')
  to.ascii('[')
  if (value.costNanoUsd === undefined) to.ascii('null')
  else to.number(value.costNanoUsd)
  writeText(to, value.provenance)
  writeText(to, value.priceOrigin)
  writeText(to, value.tier)
  writeNumber(to, value.aboveInputTokens)
  to.ascii(',[')
  for (const [at, { kind, quantity, rate, costNanoUsd }] of value.lines.entries()) {
    to.ascii(at === 0 ? '[' : ',[')
    to.json(kind)
    writeNumber(to, quantity)
    writeNumber(to, rate)
    writeNumber(to, costNanoUsd)
    to.ascii(']')
  }
  to.ascii(']]')
}
