import { COST_KINDS, COST_PROVENANCES, type Cost, type CostLine } from '../pricing/cost'
import { decodeRoute } from './journal-route'
import { decodeCheckpoint } from './journal-checkpoint'
import { decodeDeferred } from './journal-deferred'
import { decodeOwned } from './journal-owned'
import { readRareUsage, USAGE_PROVENANCES, type Usage } from '../protocols/usage'
import type { UsageProvenance } from '../protocols/usage'
import type { AttemptOutcome, AttemptRecord, BeginRecord, BodiesRecord } from './records'
import type {
  EndRecord,
  HeldRecord,
  HoldRecord,
  LogRecord,
  RefusalsRecord,
  RequestOutcome,
  SpentRecord,
} from './records'
import type { RequestOwner } from './records'

/** The record in a line of the journal; `undefined` for one that is torn or of an unknown layout. */
export function decodeLine(line: string): LogRecord | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return decodeRecord(value)
  } catch {
    return undefined
  }
}

/**
 * The records in `text`, whole lines without the last line's end, one for each line, `undefined`
 * where a line can't be read.
 */
export function decodeLines(text: string): (LogRecord | undefined)[] {
  const whole = parseTogether(text)?.map(decodeRecord)
  // Torn lines could join into one that parses: only a record for every line is proof of none.
  if (whole !== undefined && !whole.includes(undefined) && whole.length === lineCount(text)) {
    return whole
  }
  return text.split('\n').map(decodeLine)
}

/** One call for all lines: half the cost of one for each. */
function parseTogether(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(`[${text.replaceAll('\n', ',')}]`)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function lineCount(text: string): number {
  let count = 1
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1
  return count
}

/** The newest layout of each kind, where it is not the first. */
const LAYOUTS: Readonly<Record<string, number>> = { a: 2, h: 3, b: 3, e: 5, k: 2 }

function decodeRecord(value: unknown): LogRecord | undefined {
  if (!Array.isArray(value)) return undefined
  if (Number(value[1]) > (LAYOUTS[String(value[0])] ?? 1)) return undefined
  switch (value[0]) {
    case 'b':
      return decodeBegin(value)
    case 'h':
      return decodeHold(value)
    case 'a':
      return decodeAttempt(value)
    case 's':
      return decodeSpent(value)
    case 'e':
      return decodeEnd(value)
    case 'd':
      return decodeBodies(value)
    case 'r':
      return decodeRefusals(value)
    case 'D':
    case 'S':
      return decodeDeferred(value)
    case 'O':
    case 'o':
      return decodeOwned(value)
    case 'k':
    case 'm':
    case 'c':
    case 'K':
      return decodeCheckpoint(value)
    default:
      return undefined
  }
}

const BEGIN_LENGTHS: Readonly<Record<number, number>> = { 1: 12, 2: 13, 3: 15 }

function decodeBegin(v: readonly unknown[]): BeginRecord | undefined {
  // Layouts only grew: whose request it is, then since when and what is held for it.
  if (v.length !== BEGIN_LENGTHS[Number(v[1])] || !isText(v[2]) || !isNumber(v[3])) return undefined
  if (!isMaybeText(v[4]) || !isMaybeText(v[5]) || !isMaybeText(v[6])) return undefined
  if (!isMaybeText(v[7]) || !isMaybeText(v[8]) || !isMaybeText(v[9])) return undefined
  if (!isFlag(v[10]) || !isNumber(v[11])) return undefined
  const of = (v[12] ?? null) === null ? null : decodeOwner(v[12])
  const admittedAtMs = v[13] ?? null
  const held = (v[14] ?? null) === null ? null : decodeHeld(v[14])
  if (!isMaybeNumber(admittedAtMs)) return undefined
  if (of === undefined || held === undefined) return undefined
  return {
    kind: 'begin',
    id: v[2],
    startedAtMs: v[3],
    clientRequestId: v[4] ?? undefined,
    keyId: v[5] ?? undefined,
    keyName: v[6] ?? undefined,
    api: v[7] ?? undefined,
    operation: v[8] ?? undefined,
    requestedModel: v[9] ?? undefined,
    stream: v[10] === 1,
    bodyBytes: v[11],
    of: of ?? undefined,
    admittedAtMs: admittedAtMs ?? undefined,
    held: held ?? undefined,
  }
}

function decodeHeld(v: unknown): HeldRecord | undefined {
  if (!Array.isArray(v) || v.length < 2 || v.length > 3) return undefined
  const [model, costNanoUsd, credential]: unknown[] = v
  if (!isText(model) || !isMaybeNumber(costNanoUsd)) return undefined
  const held = { model, costNanoUsd: costNanoUsd ?? undefined }
  if (credential === undefined) return held
  return isText(credential) ? { ...held, credential } : undefined
}

function decodeOwner(v: unknown): RequestOwner | undefined {
  if (!Array.isArray(v) || v.length !== 5) return undefined
  const [organization, team, user, session, tags]: unknown[] = v
  if (!isText(organization) || !isMaybeText(team) || !isMaybeText(user)) return undefined
  if (!isMaybeText(session) || !isTexts(tags)) return undefined
  return {
    organization,
    team: team ?? undefined,
    user: user ?? undefined,
    session: session ?? undefined,
    tags,
  }
}

function decodeHold(v: readonly unknown[]): HoldRecord | undefined {
  // The first layout had a model and its cost side by side.
  const held = decodeHeld(v[1] === 1 ? v.slice(3) : v[3])
  if (held === undefined || !isText(v[2])) return undefined
  const hold = { kind: 'hold', requestId: v[2], ...held } as const
  // The third says beside which attempt.
  if (v[1] !== 3) return hold
  return isNumber(v[4]) ? { ...hold, beside: v[4] } : undefined
}

function decodeSpent(v: readonly unknown[]): SpentRecord | undefined {
  if (v.length !== 8 || !isText(v[2]) || !isNumber(v[3])) return undefined
  const held = decodeHeld(v[4])
  const cost = v[5] === null ? null : decodeCost(v[5])
  if (held === undefined || cost === undefined) return undefined
  if (!isMaybeNumber(v[6]) || !isMaybeNumber(v[7])) return undefined
  return {
    kind: 'spent',
    requestId: v[2],
    number: v[3],
    held,
    cost: cost ?? undefined,
    inputTokens: v[6] ?? undefined,
    outputTokens: v[7] ?? undefined,
  }
}

function decodeAttempt(v: readonly unknown[]): AttemptRecord | undefined {
  // The second layout says by which credential.
  if (v.length !== (v[1] === 2 ? 17 : 16) || !isText(v[2]) || !isNumber(v[3])) return undefined
  if (!isText(v[4]) || !isText(v[5]) || !isNumber(v[6]) || !isNumber(v[7])) return undefined
  if (!isMaybeNumber(v[8]) || !isMaybeNumber(v[9]) || !isAttemptOutcome(v[10])) return undefined
  if (!isMaybeText(v[11]) || !isMaybeText(v[12]) || !isMaybeText(v[13])) return undefined
  const credential = v[16] ?? null
  if (!isMaybeText(v[14]) || !isFlag(v[15]) || !isMaybeText(credential)) return undefined
  return {
    kind: 'attempt',
    requestId: v[2],
    number: v[3],
    provider: v[4],
    model: v[5],
    credential: credential ?? undefined,
    startedAfterMs: v[6] / 1_000,
    durationMs: v[7] / 1_000,
    headMs: toMs(v[8]),
    status: v[9] ?? undefined,
    outcome: v[10],
    errorCode: v[11] ?? undefined,
    errorMessage: v[12] ?? undefined,
    upstreamRequestId: v[13] ?? undefined,
    retryOf: v[14] ?? undefined,
    possiblyBilledTwice: v[15] === 1,
  }
}

const END_LENGTHS: Readonly<Record<number, number>> = { 1: 17, 2: 18, 3: 19, 4: 20, 5: 20 }

function decodeEnd(v: readonly unknown[]): EndRecord | undefined {
  // Layouts only grew: what was lost, the cost, then the route, which may be a text. Segments of older ones may outlive an update.
  if (v.length !== END_LENGTHS[Number(v[1])] || !isText(v[2]) || !isNumber(v[3])) return undefined
  if (!isNumber(v[4]) || !isRequestOutcome(v[5]) || !isMaybeText(v[6])) return undefined
  if (!isMaybeText(v[7]) || !isMaybeText(v[8]) || !isMaybeText(v[9])) return undefined
  if (!isTexts(v[10]) || !isProvenance(v[12]) || !isMaybeNumber(v[13])) return undefined
  if (!isNumber(v[14]) || !isNumber(v[15]) || !isNumber(v[16])) return undefined
  const lossy = v[17] ?? null
  if (!isMaybeText(lossy)) return undefined
  const usage = v[11] === null ? null : decodeUsage(v[11])
  const cost = (v[18] ?? null) === null ? null : decodeCost(v[18])
  const route = (v[19] ?? null) === null ? null : decodeRoute(v[19])
  if (usage === undefined || cost === undefined || route === undefined) return undefined
  return {
    kind: 'end',
    requestId: v[2],
    endedAtMs: v[3],
    status: v[4],
    outcome: v[5],
    errorCode: v[6] ?? undefined,
    errorMessage: v[7] ?? undefined,
    provider: v[8] ?? undefined,
    servedModel: v[9] ?? undefined,
    finishReasons: v[10],
    lossy: lossy ?? undefined,
    usage: usage ?? undefined,
    usageProvenance: v[12] ?? undefined,
    cost: cost ?? undefined,
    firstTokenMs: toMs(v[13]),
    totalMs: v[14] / 1_000,
    gatewayMs: v[15] / 1_000,
    answerBytes: v[16],
    route: route ?? undefined,
  }
}

function decodeUsage(v: unknown): Usage | undefined {
  if (!Array.isArray(v) || v.length < 7 || v.length > 8) return undefined
  const counts: unknown[] = v.slice(0, 7)
  if (!counts.every(isMaybeNumber)) return undefined
  return {
    inputTokens: counts[0] ?? undefined,
    outputTokens: counts[1] ?? undefined,
    cacheReadTokens: counts[2] ?? undefined,
    cacheWriteTokens: counts[3] ?? undefined,
    reasoningTokens: counts[4] ?? undefined,
    audioInputTokens: counts[5] ?? undefined,
    audioOutputTokens: counts[6] ?? undefined,
    ...readRareUsage(v[7]),
  }
}

function decodeCost(v: unknown): Cost | undefined {
  if (!Array.isArray(v) || v.length !== 6) return undefined
  const [costNanoUsd, word, origin, tier, above, lines]: unknown[] = v
  const provenance = COST_PROVENANCES.find((known) => known === word)
  if (!isMaybeNumber(costNanoUsd) || provenance === undefined || !isMaybeText(origin))
    return undefined
  if (!isMaybeText(tier) || !isMaybeNumber(above) || !Array.isArray(lines)) return undefined
  const decoded = lines.map(decodeCostLine)
  return {
    costNanoUsd: costNanoUsd ?? undefined,
    provenance,
    lines: decoded.filter((line) => line !== undefined),
    tier: tier ?? undefined,
    aboveInputTokens: above ?? undefined,
    priceOrigin: origin ?? undefined,
  }
}

function decodeCostLine(v: unknown): CostLine | undefined {
  if (!Array.isArray(v) || v.length !== 4) return undefined
  const [word, quantity, rate, costNanoUsd]: unknown[] = v
  const kind = COST_KINDS.find((known) => known === word)
  if (kind === undefined || !isNumber(quantity) || !isNumber(rate) || !isNumber(costNanoUsd))
    return undefined
  return { kind, quantity, rate, costNanoUsd }
}

function decodeBodies(v: readonly unknown[]): BodiesRecord | undefined {
  if (v.length !== 7 || !isText(v[2]) || !isText(v[3]) || !isText(v[4])) return undefined
  if (!isFlag(v[5]) || !isFlag(v[6])) return undefined
  return {
    kind: 'bodies',
    requestId: v[2],
    request: v[3],
    answer: v[4],
    requestTruncated: v[5] === 1,
    answerTruncated: v[6] === 1,
  }
}

function decodeRefusals(v: readonly unknown[]): RefusalsRecord | undefined {
  if (v.length !== 8 || !isText(v[2]) || !isNumber(v[3]) || !isNumber(v[4])) return undefined
  if (!isNumber(v[5]) || !isText(v[6]) || !isNumber(v[7])) return undefined
  return {
    kind: 'refusals',
    id: v[2],
    startedAtMs: v[3],
    endedAtMs: v[4],
    status: v[5],
    errorCode: v[6],
    count: v[7],
  }
}

function toMs(micros: number | null): number | undefined {
  return micros === null ? undefined : micros / 1_000
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isMaybeText(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}

function isMaybeNumber(value: unknown): value is number | null {
  return value === null || typeof value === 'number'
}

function isFlag(value: unknown): value is 0 | 1 {
  return value === 0 || value === 1
}

function isAttemptOutcome(value: unknown): value is AttemptOutcome {
  return value === 'ok' || value === 'failed' || value === 'cancelled'
}

function isRequestOutcome(value: unknown): value is RequestOutcome {
  return isAttemptOutcome(value) || value === 'refused' || value === 'lost'
}

function isProvenance(value: unknown): value is UsageProvenance | null {
  return value === null || USAGE_PROVENANCES.some((known) => known === value)
}
