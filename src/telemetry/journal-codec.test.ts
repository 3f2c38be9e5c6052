import { describe, expect, test } from 'bun:test'
import {
  attemptRecord,
  beginRecord,
  bodiesRecord,
  encodeRecord,
  endRecord,
} from './fixtures/records'
import { decodeLine, decodeLines } from './journal-decode'
import type { LogRecord, RouteFacts } from './records'

const id = Bun.randomUUIDv7()
const line = (record: LogRecord) => encodeRecord(record).slice(0, -1)
const refusals: LogRecord = {
  ...{ kind: 'refusals', id, startedAtMs: 1, endedAtMs: 2 },
  ...{ status: 401, errorCode: 'invalid_api_key', count: 12 },
}
const { cost } = endRecord(id)
const route: RouteFacts = {
  ...{ path: ['smart: fallback'], candidates: [['a/b', 'the "1st" in order']] },
  ...{ excluded: [['c/ä', 'no']], passed: [], notes: ['\n'] },
}
const spent: LogRecord = {
  ...{ kind: 'spent', requestId: id, number: 2, cost, inputTokens: 9, outputTokens: undefined },
  held: { model: 'a/b', costNanoUsd: 7, credential: 'a/one' },
}
const examples: LogRecord[] = [
  spent,
  beginRecord(id),
  attemptRecord(id),
  bodiesRecord(id),
  endRecord(id),
  endRecord(id, { route }),
  refusals,
  {
    ...{ kind: 'defer', requestId: id, deferredAtMs: 1, reference: 'batch "ä\n"' },
    ...{ inputTokens: 5, outputTokens: 7 },
  },
  { kind: 'settlement', requestId: id, settledAtMs: 2, provenance: 'none', costNanoUsd: 0 },
]

const NASTY = [
  '',
  'plain',
  'a "quote" \\ and\nline\r\u2028',
  'ünïcödé 日本 🎉',
  '\u0000\u001f\u007f',
  '],[',
]
const pick = <T>(values: readonly T[]): T => {
  const value = values[Math.floor(Math.random() * values.length)]
  if (value === undefined) throw new Error('nothing to pick from')
  return value
}
const maybe = <T>(value: T): T | undefined => (Math.random() < 0.5 ? value : undefined)
const count = () => Math.floor(Math.random() * 1e6)
const milliseconds = () => Math.floor(Math.random() * 1e8) / 1_000
const flip = () => Math.random() < 0.5

function randomRecord(): LogRecord {
  const texts = { errorCode: maybe(pick(NASTY)), errorMessage: maybe(pick(NASTY)) }
  return pick<() => LogRecord>([
    () =>
      beginRecord(id, {
        clientRequestId: maybe(pick(NASTY)),
        keyId: maybe(pick(NASTY)),
        keyName: maybe(pick(NASTY)),
        api: maybe('openai-chat'),
        requestedModel: maybe(pick(NASTY)),
        stream: flip(),
        bodyBytes: count(),
      }),
    () =>
      attemptRecord(id, {
        ...texts,
        number: count(),
        durationMs: milliseconds(),
        headMs: maybe(milliseconds()),
        status: maybe(503),
        outcome: pick(['ok', 'failed', 'cancelled']),
        upstreamRequestId: maybe(pick(NASTY)),
        credential: maybe(pick(NASTY)),
        retryOf: maybe('connection_reset'),
        possiblyBilledTwice: flip(),
      }),
    () =>
      endRecord(id, {
        ...texts,
        outcome: pick(['ok', 'refused', 'failed', 'cancelled', 'lost']),
        finishReasons: pick([[], ['stop'], ['stop', 'tool_calls', pick(NASTY)]]),
        usage: maybe({
          ...{ inputTokens: maybe(count()), outputTokens: maybe(count()) },
          ...{ cacheReadTokens: maybe(0), cacheWriteTokens: maybe(count()) },
          ...{ reasoningTokens: maybe(count()), audioInputTokens: maybe(0) },
          audioOutputTokens: maybe(count()),
        }),
        usageProvenance: maybe(pick(['provider', 'missing'])),
        firstTokenMs: maybe(milliseconds()),
        totalMs: milliseconds(),
      }),
    () => bodiesRecord(id, { request: pick(NASTY), answer: pick(NASTY), requestTruncated: flip() }),
    () => refusals,
  ])()
}

test('any record is one line, and read back as it was', () => {
  for (let round = 0; round < 2_000; round += 1) {
    const record = randomRecord()
    const encoded = encodeRecord(record)
    expect(encoded.indexOf('\n')).toBe(encoded.length - 1)
    expect(decodeLine(encoded.slice(0, -1))).toEqual(record)
  }
})

test('many lines are read as each is alone', () => {
  const records = Array.from({ length: 300 }, randomRecord)
  expect(decodeLines(records.map(line).join('\n'))).toEqual(records)
})

test('how a target was chosen is read back, by itself or shared by many', () => {
  const alone = endRecord(id, { route })
  const shared: LogRecord = { ...alone, route: { ...route, isShared: true } }
  expect([shared, shared].map((record) => decodeLine(line(record)))).toEqual([alone, alone])
  expect(decodeLine(line(alone).replace('["e",5,', '["e",4,'))).toEqual(alone)
  expect(decodeLine(line(shared).replace('smart', '\\\\"smart'))).toBeUndefined()
})

test('the beginning of a checkpoint is read back, with limits and without', () => {
  const begin: LogRecord = { kind: 'checkpoint-begin', mark: 7 }
  const records: LogRecord[] = [begin, { ...begin, complete: ['limit "a"', 'b'] }]
  expect(records.map((record) => decodeLine(line(record)))).toEqual(records)
})

test('an attempt of the first layout is read, without a credential', () => {
  const older = line(attemptRecord(id))
    .replace('["a",2,', '["a",1,')
    .replace(/,null\]$/, ']')
  expect(decodeLine(older)).toEqual(attemptRecord(id))
})

test('what is held is read in its first layout, and with a credential', () => {
  const held = { kind: 'hold', requestId: id, model: 'a/b', costNanoUsd: 7 } as const
  expect(decodeLine(`["h",1,"${id}","a/b",7]`)).toEqual(held)
  const named = { ...held, credential: 'a/one' }
  expect([held, named].map((record) => decodeLine(line(record)))).toEqual([held, named])
  const begun = beginRecord(id, { held: { model: 'a/b', costNanoUsd: 7, credential: 'a/one' } })
  expect(decodeLine(line(begun))).toEqual(begun)
})

test('what is held beside another attempt, and what an attempt came to by itself, are read back', () => {
  const beside = { kind: 'hold', requestId: id, model: 'a/b', costNanoUsd: 7, beside: 2 } as const
  const nothing = { ...spent, cost: undefined, inputTokens: undefined }
  const records = [beside, { ...beside, credential: 'a/one' }, spent, nothing]
  expect(records.map((record) => decodeLine(line(record)))).toEqual(records)
})

describe('what can not be read', () => {
  test.each(examples)('a line of kind $kind torn at any byte', (record) => {
    const whole = line(record)
    for (let length = 0; length < whole.length; length += 1) {
      expect(decodeLine(whole.slice(0, length))).toBeUndefined()
    }
  })

  test('a torn line between others costs only itself', () => {
    const whole = line(endRecord(id))
    for (let length = 0; length < whole.length; length += 1) {
      const text = [line(beginRecord(id)), whole.slice(0, length), line(refusals)].join('\n')
      const [first, torn, last, ...more] = decodeLines(text)
      expect(first?.kind).toBe('begin')
      expect(torn).toBeUndefined()
      expect(last).toEqual(refusals)
      expect(more).toEqual([])
    }
  })

  test('lines that are JSON only together', () => {
    expect(decodeLines(`["b",1\n"x"]`)).toEqual([undefined, undefined])
  })

  test.each([
    ['a later version', line(beginRecord(id)).replace('"b",3', '"b",4')],
    ['an unknown kind', line(beginRecord(id)).replace('"b"', '"z"')],
    ['a field of the wrong type', line(beginRecord(id)).replace(',120,', ',"120",')],
    ['a field too many', line(beginRecord(id)).replace(',120,', ',120,0,')],
    ['another JSON value', '{"kind":"begin"}'],
  ])('%s', (_, text) => {
    expect(decodeLine(text)).toBeUndefined()
  })
})
