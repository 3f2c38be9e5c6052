import type { Cost } from '../pricing/cost'
import { rareUsage, type Usage } from '../protocols/usage'
import { encodeDeferred } from './journal-deferred'
import { encodeOwned } from './journal-owned'
import { encodeRoute } from './journal-route'
import type { AttemptRecord, BeginRecord, BodiesRecord, EndRecord } from './records'
import type {
  CounterState,
  HeldRecord,
  HoldRecord,
  LogRecord,
  RefusalsRecord,
  RequestOwner,
  SpentRecord,
} from './records'

const NEEDS_ESCAPE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/

/**
 * A record in the journal is one line of JSON: a list of a letter for its kind, the version of that
 * kind's layout, and its fields in fixed order. Unknown values are null, flags 0 or 1, durations
 * whole microseconds, since writing out a double's digits costs more than all the rest.
 *
 * The lines are put together by hand because a request waits for them: `JSON.stringify` sees only
 * text that others chose. Identifiers are ours and need no escaping.
 */
export function encodeRecord(record: LogRecord): string {
  switch (record.kind) {
    case 'begin':
      return encodeBegin(record)
    case 'hold':
      return encodeHold(record)
    case 'attempt':
      return encodeAttempt(record)
    case 'spent':
      return encodeSpent(record)
    case 'end':
      return encodeEnd(record)
    case 'defer':
    case 'settlement':
      return encodeDeferred(record)
    case 'own':
    case 'disown':
      return encodeOwned(record)
    case 'bodies':
      return encodeBodies(record)
    case 'refusals':
      return encodeRefusals(record)
    case 'checkpoint-begin':
      return `["k",1,${record.mark}]\n`
    case 'mark':
      return `["m",1,${record.mark}]\n`
    case 'counters':
      return `${JSON.stringify(['c', 1, record.mark, record.counters.map(toCounterFields)])}\n`
    case 'checkpoint-end':
      return `${JSON.stringify(['K', 1, record.mark, record.after, record.count, record.limits])}\n`
  }
}

function toCounterFields({ limitId, name, endsAtMs, stretches }: CounterState) {
  return [limitId, name, endsAtMs ?? null, stretches]
}

function encodeBegin(record: BeginRecord): string {
  return (
    `["b",3,"${record.id}",${record.startedAtMs},${text(record.clientRequestId)},` +
    `${text(record.keyId)},${text(record.keyName)},${text(record.api)},${text(record.operation)},` +
    `${text(record.requestedModel)},${flag(record.stream)},${record.bodyBytes},${owner(record.of)},${number(record.admittedAtMs)},${held(record.held)}]\n`
  )
}

function held(value: HeldRecord | undefined): string {
  if (value === undefined) return 'null'
  const { model, costNanoUsd, credential } = value
  // Few have one.
  const named = credential === undefined ? '' : `,${text(credential)}`
  return `[${text(model)},${number(costNanoUsd)}${named}]`
}

function owner(of: RequestOwner | undefined): string {
  if (of === undefined) return 'null'
  const { organization, team, user, session, tags } = of
  // Most requests have no more than an organization.
  const listed = tags.length === 0 ? '[]' : JSON.stringify(tags)
  return `[${text(organization)},${text(team)},${text(user)},${text(session)},${listed}]`
}

function encodeHold({ requestId, beside, ...value }: HoldRecord): string {
  if (beside !== undefined) return `["h",3,"${requestId}",${held(value)},${beside}]\n`
  return `["h",2,"${requestId}",${held(value)}]\n`
}

function encodeSpent(record: SpentRecord): string {
  return (
    `["s",1,"${record.requestId}",${record.number},${held(record.held)},${cost(record.cost)},` +
    `${number(record.inputTokens)},${number(record.outputTokens)}]\n`
  )
}

function encodeAttempt(record: AttemptRecord): string {
  return (
    `["a",2,"${record.requestId}",${record.number},${text(record.provider)},` +
    `${text(record.model)},${micros(record.startedAfterMs)},${micros(record.durationMs)},` +
    `${micros(record.headMs)},${number(record.status)},"${record.outcome}",` +
    `${text(record.errorCode)},${text(record.errorMessage)},${text(record.upstreamRequestId)},` +
    `${text(record.retryOf)},${flag(record.possiblyBilledTwice)},` +
    `${text(record.credential)}]\n`
  )
}

function encodeEnd(record: EndRecord): string {
  return (
    `["e",5,"${record.requestId}",${record.endedAtMs},${record.status},"${record.outcome}",` +
    `${text(record.errorCode)},${text(record.errorMessage)},${text(record.provider)},` +
    `${text(record.servedModel)},${texts(record.finishReasons)},${usage(record.usage)},` +
    `${text(record.usageProvenance)},${micros(record.firstTokenMs)},${micros(record.totalMs)},` +
    `${micros(record.gatewayMs)},${record.answerBytes},${text(record.lossy)},` +
    `${cost(record.cost)},${encodeRoute(record.route)}]\n`
  )
}

function encodeBodies(record: BodiesRecord): string {
  return (
    `["d",1,"${record.requestId}",${text(record.request)},${text(record.answer)},` +
    `${flag(record.requestTruncated)},${flag(record.answerTruncated)}]\n`
  )
}

function encodeRefusals(record: RefusalsRecord): string {
  return (
    `["r",1,"${record.id}",${record.startedAtMs},${record.endedAtMs},${record.status},` +
    `${text(record.errorCode)},${record.count}]\n`
  )
}

function text(value: string | undefined): string {
  if (value === undefined) return 'null'
  // The test is half the price of the call that it mostly saves.
  return NEEDS_ESCAPE.test(value) ? JSON.stringify(value) : `"${value}"`
}

function texts(values: string[]): string {
  // By far the most answers have one choice.
  return values.length === 1 ? `[${text(values[0])}]` : JSON.stringify(values)
}

function number(value: number | undefined): number | 'null' {
  return value ?? 'null'
}

function micros(valueMs: number | undefined): number | 'null' {
  return valueMs === undefined ? 'null' : Math.round(valueMs * 1_000)
}

function flag(value: boolean): 0 | 1 {
  return value ? 1 : 0
}

function usage(value: Usage | undefined): string {
  if (value === undefined) return 'null'
  return (
    `[${number(value.inputTokens)},${number(value.outputTokens)},` +
    `${number(value.cacheReadTokens)},${number(value.cacheWriteTokens)},` +
    `${number(value.reasoningTokens)},${number(value.audioInputTokens)},` +
    `${number(value.audioOutputTokens)},${rare(value)}]`
  )
}

/** Counts and words that few answers have; a tier is the provider's own word. */
function rare(value: Usage): string {
  const found = rareUsage(value)
  return found === undefined ? 'null' : JSON.stringify(found)
}

/** The price's origin is a file's name or ours; kinds and provenances are ours. */
function cost(value: Cost | undefined): string {
  if (value === undefined) return 'null'
  let lines = ''
  for (const { kind, quantity, rate, costNanoUsd } of value.lines)
    lines += `${lines === '' ? '' : ','}["${kind}",${quantity},${rate},${costNanoUsd}]`
  return (
    `[${number(value.costNanoUsd)},"${value.provenance}",${text(value.priceOrigin)},` +
    `${text(value.tier)},${number(value.aboveInputTokens)},[${lines}]]`
  )
}
