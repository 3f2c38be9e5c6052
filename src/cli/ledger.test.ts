import { describe, expect, test } from 'bun:test'
import {
  costOf,
  readLedger,
  runLedger,
  type ToldRequest,
  writeLedger,
} from './fixtures/ledger-commands'

const owner = (user: string | undefined, tags: string[] = []) => ({
  ...{ organization: 'default', team: 'red', session: undefined, user, tags },
})

function asked(at: string, costNanoUsd: number, user = 'ann', tags: string[] = []): ToldRequest {
  return {
    begin: { admittedAtMs: Date.parse(at), of: owner(user, tags) },
    end: { cost: costOf(costNanoUsd) },
  }
}

describe('ledger report', () => {
  test('counts hours, days and weeks where the clock of a zone stands', async () => {
    const { directory } = writeLedger([
      // In Berlin the Monday begins at 23:00 UTC in winter, the other at 22:00 in summer.
      asked('2026-03-22T23:30:00Z', 1),
      asked('2026-03-29T22:30:00Z', 2),
      asked('2026-03-31T21:59:00Z', 4),
    ])
    const by = async (dimension: string, ...zone: string[]) => {
      const rows = await readLedger(
        directory,
        'report',
        '--by',
        dimension,
        '--sort',
        'name',
        ...zone
      )
      return rows.map((row) => Object.values(row ?? {})[0])
    }
    const berlin = ['--timezone', 'Europe/Berlin']
    expect(await by('day')).toEqual(['2026-03-22', '2026-03-29', '2026-03-31'])
    expect(await by('day', ...berlin)).toEqual(['2026-03-23', '2026-03-30', '2026-03-31'])
    expect(await by('hour', ...berlin)).toEqual([
      ...['2026-03-23T00:00', '2026-03-30T00:00', '2026-03-31T23:00'],
    ])
    expect(await by('week')).toEqual(['2026-03-16', '2026-03-23', '2026-03-30'])
    expect(await by('week', ...berlin)).toEqual(['2026-03-23', '2026-03-30'])
    expect(await by('month', '--timezone', 'Pacific/Auckland')).toEqual(['2026-03', '2026-04'])
    expect((await runLedger(directory, 'report', '--timezone', 'Nowhere')).code).toBe(2)
  })

  test('counts a request under each of its tags, and one without under none', async () => {
    const { directory } = writeLedger([
      asked('2026-03-01', 1, 'ann', ['a', 'b']),
      asked('2026-03-01', 2, 'ann', ['b']),
      asked('2026-03-01', 4),
    ])
    expect(await readLedger(directory, 'report', '--by', 'tag')).toMatchObject([
      { tag: null, requests: 1, cost_nano_usd: 4 },
      { tag: 'b', requests: 2, cost_nano_usd: 3 },
      { tag: 'a', requests: 1, cost_nano_usd: 1 },
    ])
    expect(await readLedger(directory, 'report', '--by', 'team', '--tag', 'a')).toMatchObject([
      { requests: 1, cost_nano_usd: 1 },
    ])
  })

  test('takes only what the conditions say, and gives those who spent most', async () => {
    const { directory } = writeLedger([
      asked('2026-03-01', 5, 'ann'),
      asked('2026-03-02', 7, 'bob'),
      asked('2026-03-02', 1, 'bob'),
      asked('2026-03-03', 9, 'a[b]?'),
    ])
    const users = async (...args: string[]) => {
      const rows = await readLedger(directory, 'report', '--by', 'user', ...args)
      return rows.map((row) => Object.values(row ?? {})[0])
    }
    expect(await users('--top', '2')).toEqual(['a[b]?', 'bob'])
    expect(await users('--sort', 'requests', '--top', '1')).toEqual(['bob'])
    expect(await users('--where', 'user=ann,user=a*')).toEqual(['a[b]?', 'ann'])
    expect(await users('--where', 'user=a[b]?')).toEqual(['a[b]?'])
    expect(await users('--user', 'ann,bob', '--from', '2026-03-02')).toEqual(['bob'])
    expect(await users('--where', 'team=-')).toEqual([])
    expect(await users('--where', 'team=red,model=local/*', '--provider', 'local')).toHaveLength(3)
    expect((await runLedger(directory, 'report', '--where', 'colour=red')).code).toBe(2)
  })
})

describe('ledger entries', () => {
  test('lists what nobody is sure of, until it is corrected', async () => {
    const held = { model: 'local/small', costNanoUsd: 900 }
    const { directory, ids } = writeLedger([
      asked('2026-03-01', 5),
      { begin: { held, admittedAtMs: Date.parse('2026-03-02') }, end: null },
      { end: { cost: costOf(8, { provenance: 'estimated' }) } },
    ])
    const unsure = ['entries', '--provenance', 'unresolved,estimated,unknown']
    expect(await readLedger(directory, ...unsure)).toMatchObject([
      { request: ids[2], provenance: 'estimated', cost_nano_usd: 8 },
      { request: ids[1], provenance: 'unresolved', cost_nano_usd: 900, corrected: false },
    ])
    expect(await readLedger(directory, 'report', '--by', 'organization')).toMatchObject([
      { requests: 3, uncertain: 2 },
    ])
    expect(await readLedger(directory, 'verify')).toMatchObject([{ unresolved: 1 }])
    const corrected = await runLedger(
      directory,
      ...['correct', ids[1] ?? '', '--cost', '0.0000004', '--reason', 'their, bill']
    )
    expect(corrected.lines.join('\n')).toContain('an entry of -0.0000005 USD')
    expect(await readLedger(directory, 'verify')).toMatchObject([{ ok: true, unresolved: 0 }])
    expect(await readLedger(directory, ...unsure, '--uncorrected')).toMatchObject([
      { request: ids[2] },
    ])
    expect(await readLedger(directory, 'report', '--by', 'organization')).toMatchObject([
      { requests: 3, uncertain: 1, cost_nano_usd: 413 },
    ])
    const { lines } = await runLedger(directory, 'entries', '--request', ids[1] ?? '', '--csv')
    expect(lines).toHaveLength(3)
    expect(lines[1]).toContain('"their, bill",,,0,-0.0000005')
    expect((await runLedger(directory, 'entries', '--limit', '1')).lines[1]).toContain(
      ids[2] ?? '-'
    )
  })
})

describe('ledger correct', () => {
  test('adds what is missing, again and again, and leaves the books in order', async () => {
    const { directory, ids } = writeLedger([asked('2026-03-01', 5_000), asked('2026-03-01', 1)])
    const [id = ''] = ids
    const correct = (...args: string[]) =>
      readLedger(directory, 'correct', id, '--reason', 'bill', ...args)
    expect(await correct('--cost', '0.000007', '--input-tokens', '12')).toEqual([
      {
        ...{ request: id, corrected: true },
        before: { cost_nano_usd: 5_000, input_tokens: 9, output_tokens: 4 },
        difference: { cost_nano_usd: 2_000, input_tokens: 3, output_tokens: 0 },
      },
    ])
    expect(await correct('--cost', '0.000002', '--output-tokens', '0')).toMatchObject([
      { difference: { cost_nano_usd: -5_000, output_tokens: -4 } },
    ])
    expect(await correct('--cost', '0.000002')).toMatchObject([{ corrected: false }])
    expect(await readLedger(directory, 'report', '--by', 'key,kind')).toMatchObject([
      { kind: 'request', requests: 2, cost_nano_usd: 5_001 },
      { kind: 'correction', requests: 0, cost_nano_usd: -3_000 },
    ])
    expect(await readLedger(directory, 'report', '--where', `request=${id}`)).toMatchObject([
      { requests: 1, cost_nano_usd: 2_000, input_tokens: 12, output_tokens: 0 },
    ])
    expect(await readLedger(directory, 'verify')).toMatchObject([{ ok: true, entries: 4 }])
  })

  test('refuses a request that the ledger does not have, and an amount that is none', async () => {
    const { directory, ids } = writeLedger([asked('2026-03-01', 5)])
    const correct = async (id: string, cost: string) =>
      (await runLedger(directory, 'correct', id, '--cost', cost, '--reason', 'x')).code
    expect(await correct('nobody', '1')).toBe(6)
    expect(await correct(ids[0] ?? '', '-1')).toBe(2)
    expect((await runLedger(directory, 'correct', ids[0] ?? '', '--cost', '1')).code).toBe(2)
    expect(await readLedger(directory, 'entries')).toHaveLength(1)
  })
})
