import { afterEach, describe, expect, test } from 'bun:test'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openDataDirectory } from '../src/cli/data-directory'
import { openGateway } from '../src/cli/open-gateway'
import { runCommandLine } from '../src/cli/program'
import { stringOf } from '../src/std/record'
import { createProgramLog } from '../src/telemetry/program-log'
import { type Harness, type HarnessOptions, startHarness, until } from './harness'
import { startUpstream } from './upstream'
import { SECRET, startReceiver, type WebhookReceiver } from './webhook-receiver'

/** Twenty tokens at 50 USD a million: a thousandth of a dollar a request. */
const MODELS = { 'sim/*': { price: { input: 0, output: 50 } } }
const ASK = { model: 'sim/sim-1;tokens=20', max_tokens: 20 }
const BUDGET = { subject: 'organization', limit_usd: 0.004, alert_at: [0.5, 1] }
const COMPLETION = {
  ...{ id: 'c', object: 'chat.completion', created: 1, model: 'm' },
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
}
const NEVER_MS = 3_600_000

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function receive(answer: WebhookReceiver['answer'], secret?: string): WebhookReceiver {
  const receiver = startReceiver(answer, secret)
  closing.push(() => receiver.stop())
  return receiver
}

async function start(options: HarnessOptions): Promise<Harness> {
  const harness = await startHarness(optionsOf(options))
  closing.push(() => harness.stop())
  return harness
}

const optionsOf = (options: HarnessOptions): HarnessOptions => ({
  models: MODELS,
  sim: { model_list: false },
  env: { ALERT_SECRET: SECRET },
  ...options,
})

const tell = (url: string, more = {}) => ({
  webhooks: { ops: { url, secret: '${ALERT_SECRET}', ...more } },
})

/** Opens the next process's gateway on the same data; gives what ends it. */
async function restart(running: Harness, options: HarnessOptions, path = running.directory.path) {
  const { directory, secret } = openDataDirectory(path)
  const configuration = await running.configure(optionsOf(options))
  const programLog = createProgramLog({ level: 'error', format: 'json', write() {} })
  const gateway = openGateway({ configuration, directory, secret, programLog })
  let drained: Promise<number> | undefined
  const drain = () => (drained ??= gateway.drain(1_000))
  closing.push(drain)
  return drain
}

async function spend({ chat }: Harness, times: number, headers = {}) {
  const statuses = Array.from({ length: times }, async () => {
    const answer = await chat(ASK, { headers })
    await answer.text()
    return answer.status
  })
  return Promise.all(statuses)
}

const kept = (path: string) => {
  try {
    return readdirSync(join(path, 'alerts')).filter((name) => name.endsWith('.json'))
  } catch {
    return []
  }
}

const summary = ({ received }: WebhookReceiver) =>
  received.map(({ alert }) => [alert.type, alert.threshold])

const OK = () => new Response()

describe('a budget with a webhook', () => {
  test('tells each threshold once, of 100 requests at once, and the first refusal', async () => {
    const receiver = receive(OK)
    const running = await start({ budgets: [BUDGET], alerts: tell(receiver.url) })
    const statuses = await spend(running, 100)
    expect(statuses.filter((status) => status === 200)).toHaveLength(4)
    expect(await spend(running, 1)).toEqual([429])
    await until(() => receiver.received.length >= 3 && kept(running.directory.path).length === 0)
    await running.drain()
    expect(summary(receiver).toSorted()).toEqual([
      ['budget_exceeded', null],
      ['budget_threshold', 0.5],
      ['budget_threshold', 1],
    ])
    const whole = receiver.received.find(({ alert }) => alert.threshold === 1)
    expect(whole?.alert).toEqual({
      type: 'budget_threshold',
      id: expect.any(String),
      time: expect.stringMatching(/^\d{4}-.+Z$/),
      text: 'the budget of organization, 0.004 USD, has reached 100 %: 0.004 USD are spent',
      subject: 'organization',
      account: 'organization',
      unit: 'usd',
      limit: { usd: '0.004', nano_usd: 4_000_000 },
      used: { usd: '0.004', nano_usd: 4_000_000 },
      reserved: { usd: '0', nano_usd: 0 },
      threshold: 1,
      window: null,
      resets_at: null,
    })
    expect(whole?.headers.get('webhook-id')).toBe(stringOf(whole?.alert, 'id') ?? '')
    expect(whole?.headers.get('content-type')).toBe('application/json')
    const exceeded = receiver.received.find(({ alert }) => alert.type === 'budget_exceeded')
    expect(exceeded?.alert).toMatchObject({ requested: { usd: '0.001', nano_usd: 1_000_000 } })
  })

  test('tells each of the counters of a subject, and of keys what applies to all budgets', async () => {
    const receiver = receive(OK)
    const running = await start({
      budgets: [{ subject: 'user/*', limit_usd: 0.002, window: '1d', reset: 'calendar' }],
      alerts: { thresholds: [1], ...tell(receiver.url) },
    })
    const lines: string[] = []
    const output = { out: (line: string) => void lines.push(line), error() {} }
    const made = ['keys', 'create', '--name', 'app', '--budget', '0.003/30d', '--json']
    expect(await runCommandLine([...made, '--data', running.directory.path], output)).toBe(0)
    const key: unknown = JSON.parse(lines.join(''))
    const headers = { authorization: `Bearer ${stringOf(key, 'key')}` }
    await until(async () => (await spend(running, 1, headers))[0] === 200)
    expect(await spend(running, 2, { ...headers, 'x-tg-user': 'ann' })).toEqual([200, 200])
    await spend(running, 2, { 'x-tg-user': 'bob' })
    await until(() => receiver.received.length >= 3)
    const told = receiver.received.map(({ alert }) => [alert.subject, alert.account, alert.window])
    expect(told.toSorted()).toEqual([
      ['key/app', 'key/app', '30d'],
      ['user/*', 'user/* ann', '1d'],
      ['user/*', 'user/* bob', '1d'],
    ])
    const tomorrow = new Date().setUTCHours(24, 0, 0, 0)
    const ann = receiver.received.find(({ alert }) => alert.account === 'user/* ann')
    expect(ann?.alert.resets_at).toBe(new Date(tomorrow).toISOString())
  })

  test('tells what a request cost beyond its hold', async () => {
    const receiver = receive(OK)
    const usage = { prompt_tokens: 1, completion_tokens: 30, total_tokens: 31 }
    const upstream = startUpstream(() => Response.json({ ...COMPLETION, usage }))
    closing.push(() => upstream.stop())
    const running = await start({
      budgets: [{ subject: 'organization', limit_usd: 1 }],
      alerts: tell(receiver.url),
      sim: { model_list: false, base_url: upstream.url },
    })
    // Ten tokens are held, and thirty billed; of each such answer in an hour only the first is told.
    for (let at = 0; at < 2; at++) await (await running.chat({ ...ASK, max_tokens: 10 })).text()
    await running.drain()
    expect(receiver.received.map(({ alert }) => alert)).toEqual([
      expect.objectContaining({
        type: 'budget_overrun',
        overrun: { usd: '0.001', nano_usd: 1_000_000 },
        used: { usd: '0.0015', nano_usd: 1_500_000 },
      }),
    ])
  })

  test('tells nobody who did not ask for it', async () => {
    const picky = receive(OK)
    const all = receive(OK)
    const ask = { secret: '${ALERT_SECRET}' }
    const running = await start({
      budgets: [BUDGET, { subject: 'provider/sim', limit_usd: 0.004, alert_at: [0.25] }],
      alerts: {
        webhooks: {
          picky: { ...ask, url: picky.url, subjects: ['provider/*'], events: ['budget_threshold'] },
          all: { ...ask, url: all.url },
        },
      },
    })
    await spend(running, 5)
    await until(() => all.received.length >= 4 && kept(running.directory.path).length === 0)
    expect(picky.received.map(({ alert }) => [alert.subject, alert.threshold])).toEqual([
      ['provider/sim', 0.25],
    ])
  })

  test('signs by every secret while one takes the place of another', async () => {
    const next = `whsec_${Buffer.from('fedcba9876543210fedcba9876543210').toString('base64')}`
    const old = receive(OK)
    const changed = receive(OK, next)
    const secret = ['${NEXT_SECRET}', '${ALERT_SECRET}']
    const running = await start({
      budgets: [{ ...BUDGET, alert_at: [1] }],
      env: { ALERT_SECRET: SECRET, NEXT_SECRET: next },
      alerts: {
        webhooks: {
          old: { url: old.url, secret, headers: { authorization: 'Bearer ${ALERT_SECRET}' } },
          changed: { url: changed.url, secret },
        },
      },
    })
    await spend(running, 4)
    await until(() => old.received.length > 0 && changed.received.length > 0)
    expect(old.received[0]?.headers.get('authorization')).toBe(`Bearer ${SECRET}`)
  })
})

test('a credential that is refused is told of once, however often it is tried', async () => {
  const receiver = receive(OK)
  const upstream = startUpstream((request) =>
    request.headers.get('authorization') === 'Bearer sk-good'
      ? Response.json(COMPLETION)
      : Response.json({ error: { message: 'no', code: 'invalid_api_key' } }, { status: 401 })
  )
  closing.push(() => upstream.stop())
  const credentials = [
    { name: 'bad', api_key: '${BAD_KEY}', weight: 1_000_000 },
    { name: 'good', api_key: '${GOOD_KEY}', weight: 0.000001 },
  ]
  const pool = { type: 'openai', base_url: upstream.url, model_list: false, credentials }
  const running = await start({
    providers: { pool },
    alerts: tell(receiver.url, { subjects: ['credential/*'] }),
    env: { ALERT_SECRET: SECRET, BAD_KEY: 'sk-bad', GOOD_KEY: 'sk-good' },
  })
  for (let round = 0; round < 3; round++)
    expect((await running.chat({ model: 'pool/m' })).status).toBe(200)
  await until(() => receiver.received.length > 0 && kept(running.directory.path).length === 0)
  expect(receiver.received.map(({ alert }) => alert)).toEqual([
    {
      type: 'credential_benched',
      id: expect.any(String),
      time: expect.any(String),
      text: expect.stringContaining(
        "the credential 'bad' of the provider 'pool' is not used until"
      ),
      subject: 'credential/pool/bad',
      ...{ provider: 'pool', credential: 'bad', model: null, reason: 'refused' },
      until: expect.any(String),
    },
  ])
})

describe('a webhook that fails', () => {
  test('gets the same message again until it takes it', async () => {
    const receiver = receive((number) => new Response(null, { status: number < 3 ? 500 : 200 }))
    const running = await start({
      budgets: [{ ...BUDGET, alert_at: [1] }],
      alerts: tell(receiver.url),
      alertRetryDelaysMs: [1, 1, NEVER_MS],
    })
    await spend(running, 4)
    await until(() => running.programLines.some((line) => line.includes('was delivered')))
    expect(receiver.received).toHaveLength(3)
    expect(new Set(receiver.received.map(({ alert }) => alert.id)).size).toBe(1)
    await until(() => kept(running.directory.path).length === 0)
  })

  test('is not followed elsewhere, and is left alone for as long as it asks', async () => {
    const elsewhere = receive(OK)
    const receiver = receive((number) =>
      number === 1
        ? new Response(null, { status: 307, headers: { location: elsewhere.url } })
        : new Response(null, { status: 429, headers: { 'retry-after': '3600' } })
    )
    const running = await start({
      budgets: [{ ...BUDGET, alert_at: [1] }],
      alerts: tell(receiver.url),
      alertRetryDelaysMs: [1],
    })
    await spend(running, 4)
    const line = await until(() => running.programLines.find((line) => line.includes('with 429')))
    expect(Number(JSON.parse(line).retryInSeconds)).toBeGreaterThanOrEqual(3_600)
    expect(elsewhere.received).toEqual([])
    expect(kept(running.directory.path)).toHaveLength(1)
  })

  test('is told nothing more once it answers that it is gone', async () => {
    const receiver = receive(() => new Response(null, { status: 410 }))
    const running = await start({ budgets: [BUDGET], alerts: tell(receiver.url) })
    await spend(running, 2)
    await until(() => running.programLines.some((line) => line.includes('answered with 410')))
    await spend(running, 2)
    await running.drain()
    expect(receiver.received).toHaveLength(1)
    expect(kept(running.directory.path)).toEqual([])
  })

  test('delays neither a request nor the drain by its silence', async () => {
    const silence = Promise.withResolvers<Response>()
    const receiver = receive(() => silence.promise)
    const running = await start({ budgets: [BUDGET], alerts: tell(receiver.url) })
    expect(await spend(running, 4)).toEqual([200, 200, 200, 200])
    await until(() => receiver.received.length === 2)
    expect(await running.drain()).toBe(0)
    silence.resolve(new Response())
    expect(kept(running.directory.path)).toHaveLength(2)
  })
})

describe('the next process', () => {
  test('delivers what was left, once, and by the same id', async () => {
    const receiver = receive(() => new Response(null, { status: 503 }))
    const options = { budgets: [BUDGET], alerts: tell(receiver.url) }
    const running = await start(options)
    await spend(running, 4)
    await until(() => receiver.received.length === 2)
    await running.drain()
    const { path } = running.directory
    expect(kept(path)).toHaveLength(2)
    for (const name of kept(path))
      expect(statSync(join(path, 'alerts', name)).mode & 0o777).toBe(0o600)
    const before = receiver.received.splice(0).map(({ alert }) => alert.id)
    receiver.answer = OK
    const drain = await restart(running, options)
    await until(() => kept(path).length === 0)
    expect(receiver.received.map(({ alert }) => alert.id).toSorted()).toEqual(before.toSorted())
    await drain()
    const drainAgain = await restart(running, options)
    await drainAgain()
    expect(receiver.received).toHaveLength(2)
  })

  test('tells what one that was killed could not, and nothing twice', async () => {
    const receiver = receive(() => new Response(null, { status: 500 }))
    const options = { budgets: [BUDGET], alerts: tell(receiver.url) }
    const child = Bun.spawn(
      [
        process.execPath,
        join(import.meta.dir, 'fixtures', 'alerting.ts'),
        JSON.stringify(optionsOf(options)),
      ],
      { stdout: 'pipe', stderr: 'inherit' }
    )
    closing.push(() => child.kill('SIGKILL'))
    const { value } = await child.stdout.getReader().read()
    child.kill('SIGKILL')
    await child.exited
    const path = new TextDecoder().decode(value).trim()
    closing.push(() => rmSync(path, { recursive: true, force: true }))
    receiver.answer = OK
    const running = await start({})
    await restart(running, options, path)
    const thresholds = () => new Set(receiver.received.map(({ alert }) => alert.threshold))
    await until(() => thresholds().size === 2 && kept(path).length === 0)
    expect(new Set(receiver.received.map(({ alert }) => alert.id)).size).toBe(2)
  })

  test('lets go of what nobody wants any more', async () => {
    const receiver = receive(() => new Response(null, { status: 503 }))
    const running = await start({ budgets: [BUDGET], alerts: tell(receiver.url) })
    await spend(running, 2)
    await until(() => kept(running.directory.path).length === 1 && receiver.received.length === 1)
    await running.reload(optionsOf({ budgets: [BUDGET] }))
    await until(() => kept(running.directory.path).length === 0)
  })

  test('drops what was left for a webhook that its configuration has no more', async () => {
    const receiver = receive(() => new Response(null, { status: 503 }))
    const running = await start({ budgets: [BUDGET], alerts: tell(receiver.url) })
    await spend(running, 2)
    await until(() => receiver.received.length === 1)
    await running.drain()
    expect(kept(running.directory.path)).toHaveLength(1)
    await restart(running, { budgets: [BUDGET] })
    await until(() => kept(running.directory.path).length === 0)
    expect(receiver.received).toHaveLength(1)
  })
})

test('a budget that is lowered tells what is reached already', async () => {
  const receiver = receive(OK)
  const options = { alerts: tell(receiver.url) }
  const running = await start({ ...options, budgets: [{ ...BUDGET, limit_usd: 1 }] })
  await spend(running, 3)
  await running.reload(optionsOf({ ...options, budgets: [BUDGET] }))
  await until(() => receiver.received.length > 0)
  expect(summary(receiver)).toEqual([['budget_threshold', 0.5]])
})
