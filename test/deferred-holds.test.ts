import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommandLine } from '../src/cli/program'
import { until } from './harness'
import { type Budgets, type Limits, startLife } from './fixtures/deferring'

const BUDGETS = [
  { subject: 'organization', limit_usd: 0.01 },
  { subject: 'key/*', limit_usd: 0.02, window: '30d' },
  { subject: 'user/ann+provider/sim', limit_usd: 0.03, window: '1mo' },
]
const LIMITS = [
  { subject: 'key/*', requests: 100, tokens: 1_000_000, per: '30d' },
  { subject: 'provider/sim', requests: 100, per: '30d' },
  { subject: 'key/*', in_flight: 10 },
]
const USED = { costNanoUsd: 1_200_000, inputTokens: 400, outputTokens: 500 }
const COMPUTED = { ...USED, provenance: 'computed' } as const

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function makePath(): string {
  const path = mkdtempSync(join(tmpdir(), 'tollgate-deferred-'))
  cleanups.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

async function live(path: string, budgets: Budgets = BUDGETS, limits: Limits = LIMITS) {
  const life = await startLife(path, budgets, limits)
  let ended: Promise<void> | undefined
  const end = () => (ended ??= life.end())
  cleanups.push(end)
  return { ...life, end }
}

async function ledger(path: string, ...args: string[]) {
  const lines: string[] = []
  const errors: string[] = []
  const output = {
    out: (line: string) => void lines.push(line),
    error: (line: string) => void errors.push(line),
  }
  const code = await runCommandLine(['ledger', ...args, '--data', path], output)
  return { code, text: lines.join('\n'), errors: errors.join('\n') }
}

async function readJson(path: string, ...args: string[]): Promise<unknown[]> {
  const { text } = await ledger(path, ...args, '--json')
  return text === '' ? [] : text.split('\n').map((line): unknown => JSON.parse(line))
}

/** The books agree, and so many holds wait. */
async function expectRight(path: string, unsettled: number) {
  expect(await readJson(path, 'verify')).toMatchObject([{ ok: true, unsettled }])
}

const HELD = [
  'organization usd: 0 3000000',
  'key/* usd: 0 3000000',
  'user/ann+provider/sim usd: 0 3000000',
  'key/* tokens: 0 2000',
  'key/* requests: 1 0',
  'provider/sim requests: 1 0',
  'key/* in_flight: 0 0',
].sort()
const SETTLED = [
  'organization usd: 1200000 0',
  'key/* usd: 1200000 0',
  'user/ann+provider/sim usd: 1200000 0',
  'key/* tokens: 900 0',
  'key/* requests: 1 0',
  'provider/sim requests: 1 0',
  'key/* in_flight: 0 0',
].sort()

test('what is held beyond an answer is held in every limit, by the next processes too, until it is settled', async () => {
  const path = makePath()
  const first = await live(path)
  const id = first.ask('batch_1')
  expect((await first.standings()).sort()).toEqual(HELD)
  await first.end()
  await expectRight(path, 1)
  const second = await live(path)
  expect((await second.standings()).sort()).toEqual(HELD)
  expect(await second.governor.listDeferred()).toMatchObject([
    { requestId: id, reference: 'batch_1', of: { provider: 'sim', model: 'sim/m', key: 'app' } },
  ])
  expect(await second.governor.settleDeferred(id, COMPUTED)).toBe('settled')
  expect(await second.governor.settleDeferred(id, COMPUTED)).toBe('unknown')
  expect((await second.standings()).sort()).toEqual(SETTLED)
  await second.end()
  await expectRight(path, 0)
  const third = await live(path)
  expect((await third.standings()).sort()).toEqual(SETTLED)
  expect(await third.governor.settleDeferred(id, COMPUTED)).toBe('unknown')
  expect(await readJson(path, 'entries', '--request', id)).toMatchObject([
    { kind: 'settlement', provenance: 'computed', cost_nano_usd: 1_200_000, input_tokens: 400 },
    { kind: 'request', provenance: 'deferred', cost_nano_usd: null, reference: 'batch_1' },
  ])
})

test('a killed process loses neither what is held nor what was settled', async () => {
  const path = makePath()
  const killed = Bun.spawn(
    [
      process.execPath,
      join(import.meta.dir, 'fixtures/defer-until-killed.ts'),
      path,
      JSON.stringify(BUDGETS),
    ],
    { stdout: 'pipe', stderr: 'inherit' }
  )
  const ids: unknown = JSON.parse(await killed.stdout.text())
  await killed.exited
  expect(killed.signalCode).toBe('SIGKILL')
  const next = await live(path, BUDGETS, [])
  expect(await next.standings()).toEqual([
    'organization usd: 700000 3000000',
    'key/* usd: 700000 3000000',
    'user/ann+provider/sim usd: 700000 3000000',
  ])
  const [, second] = Array.isArray(ids) ? ids.map(String) : []
  expect(await next.governor.releaseDeferred(second ?? '')).toBe('settled')
  expect(await next.standings()).toContain('organization usd: 700000 0')
  await next.end()
  await expectRight(path, 0)
})

test('what is held takes room from other requests, whatever was to be expected of it', async () => {
  const life = await live(makePath(), [
    { subject: 'organization', limit_usd: 0.0061, overshoot_usd: 0.02 },
  ])
  life.ask('batch_1')
  life.ask('batch_2')
  expect(() => life.ask('batch_3')).toThrow('organization may use 0.0061 USD')
})

test('limits that come later hold it too, and count what it came to', async () => {
  const path = makePath()
  const life = await live(path, BUDGETS.slice(0, 1), [])
  const id = life.ask('batch_1')
  await life.reload(BUDGETS)
  expect(await life.standings()).toContain('key/* usd: 0 3000000')
  await life.governor.settleDeferred(id, COMPUTED)
  expect(await life.standings()).toContain('key/* usd: 1200000 0')
  await life.end()
  await expectRight(path, 0)
  const next = await live(path, BUDGETS, [])
  expect(await next.standings()).toContain('key/* usd: 1200000 0')
})

test('without any limit the ledger has what it came to, told by whatever process', async () => {
  const path = makePath()
  const first = await live(path, [], [])
  const id = first.ask('batch_1')
  await first.end()
  const next = await live(path, [], [])
  expect(await next.governor.listDeferred()).toMatchObject([{ reference: 'batch_1' }])
  expect(await next.governor.settleDeferred('nobody', COMPUTED)).toBe('unknown')
  expect(await next.governor.settleDeferred(id, { provenance: 'unknown', inputTokens: 4 })).toBe(
    'settled'
  )
  await next.end()
  expect(await readJson(path, 'entries', '--where', 'kind=settlement')).toMatchObject([
    { request: id, provenance: 'unknown', cost_nano_usd: null, input_tokens: 4 },
  ])
})

test('a cost that nobody knows counts as it was held, until it is corrected', async () => {
  const path = makePath()
  const life = await live(path, BUDGETS, [])
  const id = life.ask('batch_1')
  await life.governor.settleDeferred(id, { provenance: 'unknown' })
  expect(await life.standings()).toContain('organization usd: 3000000 0')
  await life.end()
  await expectRight(path, 0)
  expect((await ledger(path, 'correct', id, '--cost', '0', '--reason', 'bill')).code).toBe(0)
  const next = await live(path, BUDGETS, [])
  expect(await next.standings()).toContain('organization usd: 0 0')
})

test('what nobody tells an operator settles, by the id or what the provider calls it', async () => {
  const path = makePath()
  const life = await live(path, BUDGETS, [])
  life.ask('batch_1')
  const second = life.ask('batch_2')
  await life.end()
  const listed = await ledger(path, 'entries', '--unsettled')
  expect(listed.text).toContain('REFERENCE')
  expect(listed.text).toContain('batch_2')
  expect((await ledger(path, 'settle', 'batch_1', '--cost', '0.001')).code).toBe(0)
  expect((await ledger(path, 'settle', 'batch_1', '--cost', '0.001')).code).toBe(6)
  expect((await ledger(path, 'release', second)).code).toBe(0)
  expect(await readJson(path, 'entries', '--unsettled')).toEqual([])
  await expectRight(path, 0)
  const next = await live(path, BUDGETS, [])
  expect(await next.standings()).toEqual([
    'organization usd: 1000000 0',
    'key/* usd: 1000000 0',
    'user/ann+provider/sim usd: 1000000 0',
  ])
  expect(await next.governor.settleDeferred(second, COMPUTED)).toBe('unknown')
})

test('of an operator and the provider the operator is right, whoever comes first', async () => {
  const path = makePath()
  const life = await live(path, BUDGETS, [])
  const id = life.ask('batch_1')
  await life.log.flush()
  // Beside the gateway, which tells the same before it has heard of it.
  expect((await ledger(path, 'settle', id, '--cost', '0.002')).code).toBe(0)
  await life.governor.settleDeferred(id, COMPUTED)
  await life.end()
  await expectRight(path, 0)
  expect(await readJson(path, 'report', '--by', 'model')).toMatchObject([
    { requests: 1, cost_nano_usd: 2_000_000 },
  ])
  const next = await live(path, BUDGETS, [])
  expect(await next.standings()).toContain('organization usd: 2000000 0')
})

test('what an operator settles beside a running gateway it gives back and counts', async () => {
  const path = makePath()
  const life = await live(path, BUDGETS, [])
  const id = life.ask('batch_1')
  await life.log.flush()
  expect((await ledger(path, 'settle', id, '--cost', '0.002')).code).toBe(0)
  await until(async () => (await life.standings()).includes('organization usd: 2000000 0'))
  expect(await life.governor.settleDeferred(id, COMPUTED)).toBe('unknown')
  await life.end()
  await expectRight(path, 0)
  const next = await live(path, BUDGETS, [])
  expect(await next.standings()).toContain('key/* usd: 2000000 0')
})

test('limits of a reload count corrections once, those before it and those after', async () => {
  const path = makePath()
  const life = await live(path, BUDGETS.slice(0, 1), [])
  const id = life.ask('batch_1')
  await life.governor.settleDeferred(id, COMPUTED)
  await life.log.flush()
  const correct = (usd: string) => ledger(path, 'correct', id, '--cost', usd, '--reason', 'bill')
  await correct('0.002')
  await until(async () => (await life.standings()).includes('organization usd: 2000000 0'))
  await life.reload(BUDGETS)
  await until(async () => (await life.standings()).includes('key/* usd: 2000000 0'))
  await correct('0.0005')
  await until(async () => (await life.standings()).includes('key/* usd: 500000 0'))
  expect(await life.standings()).toContain('organization usd: 500000 0')
})

test('what is held for long is told, and stays held', async () => {
  const path = makePath()
  const life = await live(path, BUDGETS, [])
  const id = life.ask('batch_1')
  await life.end()
  const soon = { unsettled_after: '1s' }
  await Bun.sleep(1_050)
  const next = await startLife(path, BUDGETS, [], [], soon)
  cleanups.push(() => next.end())
  expect(next.lines.filter((line) => line.includes('holds for work'))).toEqual([
    expect.stringContaining(id),
  ])
  expect(await next.standings()).toContain('organization usd: 0 3000000')
})

test('limits that come after a start without any hold what earlier processes left', async () => {
  const path = makePath()
  const first = await live(path, [], [])
  const id = first.ask('batch_1')
  const settled = first.ask('batch_2')
  expect(await first.governor.settleDeferred(settled, COMPUTED)).toBe('settled')
  await first.end()
  const next = await live(path, [], [])
  await next.reload(BUDGETS)
  await until(async () => (await next.governor.listDeferred()).length === 1)
  expect(await next.governor.settleDeferred(id, COMPUTED)).toBe('settled')
  await until(async () => (await next.standings()).includes('organization usd: 2400000 0'))
})
