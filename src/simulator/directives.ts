import { type Fault, findFault, FAULT_PREFIX } from './faults'
import type { Timing } from './pace'

/** How one request is to be answered: read from its model name and its `x-sim` header. */
export type Directives = Timing & {
  fault: Fault | undefined
  /** Tokens the answer shall have. */
  tokens: number | undefined
  /** Put `sim_sent_at_ms`, the epoch time a frame left, into each frame of a stream. */
  stamp: boolean
}

export type DirectivesResult =
  { ok: true; directives: Directives } | { ok: false; status: 400 | 404; message: string }

const NUMBER_KEYS = {
  ttft: { max: 3_600_000, whole: false },
  tps: { max: 100_000, whole: false },
  jitter: { max: 60_000, whole: false },
  tokens: { max: 1_000_000, whole: true },
  stamp: { max: 1, whole: true },
} as const

type NumberKey = keyof typeof NUMBER_KEYS

/**
 * Reads `NAME;ttft=60;tps=50;tokens=100;jitter=5;stamp=1` (milliseconds; tokens a second), where
 * NAME may be `fault-…`, and a header `ttft=60,tps=50,fault=error-429`, which wins. The semicolons
 * pass through gateways that route on `provider/model`.
 */
export function parseDirectives(model: string, header: string | null): DirectivesResult {
  const [name = '', ...inName] = model.split(';')
  const numbers = new Map<NumberKey, number>()
  let faultName = name.startsWith(FAULT_PREFIX) ? name.slice(FAULT_PREFIX.length) : undefined
  for (const part of [...inName, ...(header ?? '').split(',')]) {
    const text = part.trim()
    if (text === '') continue
    const equals = text.indexOf('=')
    const key = text.slice(0, Math.max(0, equals))
    const value = text.slice(equals + 1)
    if (key === 'fault') faultName = value
    else if (!isNumberKey(key)) return refuse(400, `'${text}' is no directive: ${allowed()}`)
    else {
      const number = readNumber(key, value)
      if (number === undefined) return refuse(400, `'${text}' is out of range`)
      numbers.set(key, number)
    }
  }
  const fault = faultName === undefined ? undefined : findFault(faultName)
  if (faultName !== undefined && !fault) return refuse(404, `there is no fault '${faultName}'`)
  return {
    ok: true,
    directives: {
      fault,
      ttftMs: numbers.get('ttft') ?? 0,
      tokensPerSecond: numbers.get('tps') ?? 0,
      jitterMs: numbers.get('jitter') ?? 0,
      tokens: numbers.get('tokens'),
      stamp: numbers.get('stamp') === 1,
    },
  }
}

function readNumber(key: NumberKey, text: string): number | undefined {
  const { max, whole } = NUMBER_KEYS[key]
  if (!/^\d+(\.\d+)?$/.test(text)) return undefined
  const number = Number(text)
  return number <= max && (!whole || Number.isInteger(number)) ? number : undefined
}

function isNumberKey(key: string): key is NumberKey {
  return Object.hasOwn(NUMBER_KEYS, key)
}

function allowed(): string {
  return `write ${Object.keys(NUMBER_KEYS).join('=, ')}= or fault=`
}

function refuse(status: 400 | 404, message: string): DirectivesResult {
  return { ok: false, status, message }
}
