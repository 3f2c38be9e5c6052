import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { createLedgerReader } from '../src/db/ledger-reader'
import { openSqlite } from '../src/db/open'
import { openDataDirectory } from '../src/cli/data-directory'
import { openGateway } from '../src/cli/open-gateway'
import { runCommandLine } from '../src/cli/program'
import { countOf, isRecord, recordOf, stringOf } from '../src/std/record'
import { createProgramLog } from '../src/telemetry/program-log'
import { type Harness, type HarnessOptions, startHarness, until } from './harness'
import { startUpstream } from './upstream'

/** Twenty tokens at 50 USD a million: a thousandth of a dollar a request, whatever its question. */
const MODELS = { 'sim/*': { price: { input: 0, output: 50 } } }
const COST_USD = 0.001
const ASK = { model: 'sim/sim-1;tokens=20', max_tokens: 20 }

const TWENTY_TOKENS = {
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hi' } }],
  usage: { prompt_tokens: 9, completion_tokens: 20 },
}
const FAILED = { error: { message: 'down', type: 'server_error', param: null, code: 'down' } }

let harness: Harness | undefined
afterEach(async () => {
  await harness?.stop()
  harness = undefined
})

async function start(options: HarnessOptions): Promise<Harness> {
  harness = await startHarness({ models: MODELS, sim: { model_list: false }, ...options })
  return harness
}

/** Asks so often at once; gives how many were answered, and the others' bodies. */
async function storm({ chat }: Harness, times: number, body: object, headers = {}) {
  const answers = await Promise.all(
    Array.from({ length: times }, async () => {
      const answer = await chat({ ...ASK, ...body }, { headers })
      return { status: answer.status, headers: answer.headers, text: await answer.text() }
    })
  )
  return {
    served: answers.filter(({ status }) => status === 200).length,
    refused: answers.filter(({ status }) => status === 429),
  }
}

const sumOf = (running: Harness) => {
  const database = openSqlite(running.directory.logPath, { readonly: true })
  try {
    return createLedgerReader(database).totals()
  } finally {
    database.close()
  }
}

const requestEntries = (running: Harness) => {
  const database = openSqlite(running.directory.logPath, { readonly: true })
  try {
    const query = database.query<{ count: number }, []>(
      "SELECT count(*) AS count FROM ledger_entries WHERE kind = 'request'"
    )
    return query.get()?.count
  } finally {
    database.close()
  }
}

describe('a budget for 137 requests', () => {
  const nested = ['organization', 'key/*', 'user/ann', 'provider/sim', 'user/*+provider/sim']

  let calls = 0
  /** Every tenth call fails. */
  const flaky = startUpstream(() =>
    ++calls % 10 === 0 ? Response.json(FAILED, { status: 500 }) : Response.json(TWENTY_TOKENS)
  )
  afterAll(() => flaky.stop())

  test.each([
    ['whole', {}, {}],
    ['streamed', { stream: true }, {}],
    [
      'after a target that failed',
      { model: 'smart' },
      { routes: { smart: { targets: ['sim/fault-error-500', 'sim/sim-1;tokens=20'] } } },
    ],
    [
      'after a target that failed, streamed',
      { model: 'smart', stream: true },
      { routes: { smart: { targets: ['sim/fault-error-500', 'sim/sim-1;tokens=20'] } } },
    ],
    [
      'some of them tried again',
      { model: 'sim/m' },
      { sim: { model_list: false, base_url: flaky.url }, failover: { retries: 6 } },
    ],
  ])('serves 137 of 2,000 at once, %s, under five budgets', async (_, body, more) => {
    const running = await start({
      ...more,
      budgets: nested.map((subject, index) => ({
        subject,
        // The narrowest decides.
        limit_usd: (index === 2 ? 137 : 200 + index) * COST_USD,
      })),
    })
    const { token } = running.makeKey()
    const headers = { authorization: `Bearer ${token}`, 'x-tg-user': 'ann' }
    await until(async () => (await fetch(`${running.gateway.url}/v1/models`, { headers })).ok)
    const { served, refused } = await storm(running, 2_000, body, headers)
    expect(served).toBe(137)
    expect(refused).toHaveLength(2_000 - 137)
    expect(refused[0]?.headers.get('x-should-retry')).toBe('false')
    expect(JSON.parse(refused[0]?.text ?? '')).toMatchObject({
      error: {
        code: 'insufficient_quota',
        message: expect.stringContaining('user/ann may use 0.137 USD'),
      },
    })
    const own = await fetch(`${running.gateway.url}/v1/usage/self`, { headers })
    const usage: unknown = await own.json()
    expect(usage).toMatchObject({
      limits: expect.arrayContaining([
        expect.objectContaining({ subject: 'organization', used: 137_000_000, reserved: 0 }),
      ]),
    })
    // Attempts in vain have entries too: the last of the requests says that all are there.
    await until(() => requestEntries(running) === 2_000)
    expect(sumOf(running).costNanoUsd).toBe(137_000_000)
    const row = await running.row(({ status }) => status === 429)
    expect(row).toMatchObject({ outcome: 'refused', errorCode: 'insufficient_quota' })
  })

  test('gives back what failed, and what a client that left did not use', async () => {
    const running = await start({
      budgets: [{ subject: 'organization', limit_usd: 10 * COST_USD }],
    })
    for (let at = 0; at < 30; at++) {
      const failed = await running.chat({ ...ASK, model: 'sim/fault-error-500' })
      expect(failed.status).toBe(500)
      await failed.text()
    }
    const leaving = new AbortController()
    const left = await running.chat(
      { ...ASK, model: 'sim/sim-1;tokens=20;tps=20', stream: true },
      { signal: leaving.signal }
    )
    await left.body?.getReader().read()
    leaving.abort()
    const standing = async () => {
      const answer = await fetch(`${running.gateway.url}/v1/usage/self`)
      const usage: unknown = await answer.json()
      const [limit] = isRecord(usage) && Array.isArray(usage.limits) ? usage.limits : []
      return { used: countOf(limit, 'used') ?? 0, reserved: countOf(limit, 'reserved') }
    }
    const settled = await until(async () => {
      const now = await standing()
      return now.reserved === 0 && now.used > 0 ? now : undefined
    })
    expect(settled.used).toBeLessThan(1_000_000)
    expect((await storm(running, 20, {})).served).toBe(9)
  })
})

describe('what was spent', () => {
  test('is known to the next process', async () => {
    const running = await start({ budgets: [{ subject: 'organization', limit_usd: 5 * COST_USD }] })
    expect((await storm(running, 3, {})).served).toBe(3)
    await running.drain()
    const { directory } = running
    const configuration = await running.configure({
      models: MODELS,
      sim: { model_list: false },
      budgets: [{ subject: 'organization', limit_usd: 5 * COST_USD }],
    })
    const secret = new Uint8Array(32)
    const programLog = createProgramLog({ level: 'error', format: 'json', write() {} })
    const next = openGateway({ configuration, directory, secret, programLog })
    try {
      const ask = () =>
        fetch(`${next.url}/v1/chat/completions`, {
          method: 'POST',
          body: JSON.stringify({ ...ASK, messages: [{ role: 'user', content: 'Hi' }] }),
        })
      const statuses = await Promise.all(
        [ask(), ask(), ask()].map(async (answer) => (await answer).status)
      )
      expect(statuses.toSorted()).toEqual([200, 200, 429])
    } finally {
      await next.drain(1_000)
    }
  })

  test('needs a price where money is counted', async () => {
    const running = await start({
      models: {},
      budgets: [
        { subject: 'organization', limit_usd: 1, window: '1mo', timezone: 'Europe/Berlin' },
      ],
    })
    const { refused } = await storm(running, 1, {})
    expect(refused[0]?.text).toContain('has no known price')
  })
})

describe('a rate limit', () => {
  test('counts requests whatever becomes of them, and says when to come back', async () => {
    const running = await start({
      limits: [{ subject: 'organization', requests: 5, per: '1h' }],
    })
    for (let at = 0; at < 2; at++) await running.chat({ model: 'sim/fault-error-500' })
    const { served, refused } = await storm(running, 10, {})
    expect(served).toBe(3)
    const [first] = refused
    expect(JSON.parse(first?.text ?? '')).toMatchObject({ error: { code: 'rate_limit_exceeded' } })
    expect(Number(first?.headers.get('retry-after'))).toBeGreaterThan(3_000)
  })

  test('of what is in flight is free again when a request has ended', async () => {
    const running = await start({ limits: [{ subject: 'organization', in_flight: 2 }] })
    const { served } = await storm(running, 10, { model: 'sim/sim-1;ttft=200' })
    expect(served).toBe(2)
    expect((await storm(running, 2, {})).served).toBe(2)
  })

  test('of tokens holds what a request could take', async () => {
    const running = await start({
      limits: [{ subject: 'model/sim/*', output_tokens: 100, per: '1h' }],
    })
    expect((await storm(running, 10, {})).served).toBe(10)
    const bound = await start({
      limits: [{ subject: 'provider/sim', output_tokens: 100, per: '1h' }],
    })
    expect((await storm(bound, 10, {})).served).toBe(5)
  })
})

test('a client is told what it may still do, in the words of its API', async () => {
  const running = await start({
    limits: [
      { subject: 'organization', requests: 10, output_tokens: 1_000, tokens: 50_000, per: '1h' },
      { subject: 'key/*', requests: 3, per: '1m' },
    ],
  })
  const { headers } = await running.chat(ASK)
  expect(headers.get('x-ratelimit-limit-requests')).toBe('10')
  expect(headers.get('x-ratelimit-remaining-requests')).toBe('9')
  expect(headers.get('x-ratelimit-reset-requests')).toMatch(/^(1h\d+m\d+s|59m\d+s)$/)
  expect(Number(headers.get('x-ratelimit-remaining-tokens'))).toBeLessThan(50_000)
  const claude = await fetch(`${running.gateway.url}/v1/messages`, {
    method: 'POST',
    body: JSON.stringify({ ...ASK, messages: [{ role: 'user', content: 'Hi' }] }),
  })
  expect(claude.headers.get('anthropic-ratelimit-requests-remaining')).toBe('8')
  expect(claude.headers.get('anthropic-ratelimit-output-tokens-limit')).toBe('1000')
  expect(claude.headers.get('anthropic-ratelimit-requests-reset')).toMatch(/^\d{4}-.+Z$/)
})

test('a price that changes in the middle of a window counts from then on, and a limit below what was spent refuses', async () => {
  const budget = { subject: 'organization', limit_usd: 10 * COST_USD, window: '30d' }
  const running = await start({ budgets: [budget] })
  const used = async () => {
    const usage: unknown = await (await fetch(`${running.gateway.url}/v1/usage/self`)).json()
    const limits = isRecord(usage) ? usage['limits'] : undefined
    return Array.isArray(limits) ? countOf(limits[0], 'used') : undefined
  }
  expect((await storm(running, 1, {})).served).toBe(1)
  const twice = { 'sim/*': { price: { input: 0, output: 100 } } }
  const sim = { model_list: false }
  await running.reload({ models: twice, sim, budgets: [budget] })
  expect((await storm(running, 2, {})).served).toBe(2)
  expect(await used()).toBe(5_000_000)
  await running.reload({ models: twice, sim, budgets: [{ ...budget, limit_usd: 4 * COST_USD }] })
  const { served, refused } = await storm(running, 1, {})
  expect(served).toBe(0)
  expect(refused[0]?.text).toContain('may use 0.004 USD per 30d; 0.005 USD used')
  await until(() => sumOf(running).entries >= 4)
  expect(sumOf(running).costNanoUsd).toBe(5_000_000)
})

test('a budget that a reload adds knows what was spent before, and counts on meanwhile', async () => {
  const running = await start({})
  const headers = { 'x-tg-user': 'ann' }
  expect((await storm(running, 5, {}, headers)).served).toBe(5)
  const budget = { limit_usd: 8 * COST_USD, window: '30d' }
  await running.reload({
    models: MODELS,
    sim: { model_list: false },
    budgets: [
      { subject: 'organization', ...budget },
      { subject: 'user/*', ...budget },
    ],
  })
  expect((await storm(running, 2, {}, headers)).served).toBe(2)
  await until(async () => {
    const usage: unknown = await (await fetch(`${running.gateway.url}/v1/usage/self`)).json()
    const limits = isRecord(usage) ? usage['limits'] : undefined
    return Array.isArray(limits) && countOf(limits[0], 'used') === 7_000_000
  })
  expect((await storm(running, 5, {}, headers)).served).toBe(1)
})

describe('a key with limits of its own', () => {
  test('meets them, and so does the next process', async () => {
    const running = await start({})
    const data = ['--data', running.directory.path]
    const make = async (...args: string[]) => {
      const lines: string[] = []
      const output = { out: (line: string) => void lines.push(line), error: () => {} }
      expect(await runCommandLine([...args, ...data, '--json'], output)).toBe(0)
      const made: unknown = JSON.parse(lines.join(''))
      return stringOf(made, 'key') ?? ''
    }
    await make('teams', 'create', '--name', 'red', '--budget', `${3 * COST_USD}/30d`)
    const key = await make('keys', 'create', '--name', 'app', '--team', 'red', '--limit', '5/1h')
    const headers = { authorization: `Bearer ${key}` }
    await until(async () => (await fetch(`${running.gateway.url}/v1/models`, { headers })).ok)
    const { served, refused } = await storm(running, 10, {}, headers)
    expect(served).toBe(3)
    const codes = refused.map(({ text }) => stringOf(recordOf(JSON.parse(text), 'error'), 'code'))
    expect(codes.toSorted()).toEqual([
      ...Array.from({ length: 2 }, () => 'insufficient_quota'),
      ...Array.from({ length: 5 }, () => 'rate_limit_exceeded'),
    ])
    await running.drain()
    const { directory } = running
    const configuration = await running.configure({ models: MODELS, sim: { model_list: false } })
    const { secret } = openDataDirectory(directory.path)
    const programLog = createProgramLog({ level: 'error', format: 'json', write() {} })
    const next = openGateway({ configuration, directory, secret, programLog })
    try {
      const usage: unknown = await (await fetch(`${next.url}/v1/usage/self`, { headers })).json()
      expect(usage).toMatchObject({
        key: 'app',
        limits: expect.arrayContaining([
          expect.objectContaining({ subject: 'team/red', unit: 'usd', used: 3_000_000 }),
          expect.objectContaining({ subject: 'key/app', unit: 'requests', used: 5 }),
        ]),
      })
    } finally {
      await next.drain(1_000)
    }
  })
})
