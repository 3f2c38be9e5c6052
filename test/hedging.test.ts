import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'

import { contentOf, eventsOf } from './answers'
import { entriesOf, verifyBooks } from './fixtures/settled'
import { type Harness, type HarnessOptions, startHarness, until } from './harness'
import { eventStream, startUpstream, type Upstream } from './upstream'

// A second target is asked beside a first one that is slow. Nothing here goes by how long something took: who is slow
// waits until the test lets it go, or for ever.

const PRICE = { price: { input: 1, output: 2 } }
/** Says nothing for a minute. */
const SLOW = 'sim/sim-1;ttft=60000'
const FAST = 'sim/sim-1'
const NOW = { after: '10ms', max_percent: 50 }

const OPTIONS: HarnessOptions = {
  sim: { model_list: false, retry_on_reset: false },
  models: { 'sim/*': PRICE, 'a/*': PRICE, 'b/*': PRICE },
  budgets: ['organization', 'provider/sim', 'provider/a', 'provider/b'].map((subject) => {
    return { subject, limit_usd: 100 }
  }),
  limits: ['sim', 'a', 'b'].map((name) => {
    return { subject: `provider/${name}`, requests: 10_000, per: '1h' }
  }),
  routes: { slow: { targets: [SLOW, FAST], hedge: NOW } },
}

let harness: Harness
const upstreams: Upstream[] = []

beforeAll(async () => {
  harness = await startHarness(OPTIONS)
})
afterEach(async () => {
  await Promise.all(upstreams.splice(0).map((upstream) => upstream.stop()))
  harness.simulator.reset()
})
afterAll(() => harness.stop())

type Answering = Parameters<typeof startUpstream>[0]

type Route = { targets: readonly string[]; hedge?: object; continue_streams?: boolean }

let made = 0

/**
 * Upstreams that are the providers `a` and `b`, and a route to such targets; gives its name. Route and models have names
 * of their own each time: what one test does to budgets and health is not to touch the next.
 */
async function answering(
  answers: Record<string, Answering>,
  route: Route,
  { deadlines = {}, ...more }: HarnessOptions & { deadlines?: object } = {}
) {
  const number = ++made
  const providers: Record<string, Record<string, unknown>> = {}
  for (const [name, answer] of Object.entries(answers)) {
    const upstream = startUpstream(answer)
    upstreams.push(upstream)
    const base = { type: 'openai', base_url: upstream.url, api_key: 'none' }
    providers[name] = { ...base, model_list: false, retry_on_reset: false, deadlines }
  }
  const targets = route.targets.map((name) => (name in answers ? `${name}/m${number}` : name))
  const routes = { ...OPTIONS.routes, [`made-${number}`]: { hedge: NOW, ...route, targets } }
  await harness.reload({ ...OPTIONS, ...more, providers, routes })
  return `made-${number}`
}

/** Which of them has answered. */
const servedBy = (answer: Response) => answer.headers.get('x-tg-model')?.replace(/\/m\d+$/, '')

const choice = { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hi' } }
const whole = () =>
  Response.json({ choices: [choice], usage: { prompt_tokens: 9, completion_tokens: 2 } })
const failing = (status: number, message: string) =>
  Response.json({ error: { message, type: 'server_error', param: null, code: null } }, { status })

/** Answers when it is let go. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

const attemptsOf = async (answer: Response) =>
  (await harness.rowOf(answer)).attempts?.map(({ outcome, retryOf }) => [outcome, retryOf])

describe('a target that is slow', () => {
  test.each([false, true])('is raced by the next, streamed: %p', async (stream) => {
    const answer = await harness.chat({ model: 'slow', stream })
    await answer.text()
    expect([answer.status, servedBy(answer)]).toEqual([200, FAST])
    expect(answer.headers.get('x-tg-attempts')).toBe('2')
    // The loser's connection is closed.
    await until(() => harness.simulator.stats().cancelled === 1)
    const row = await harness.rowOf(answer)
    expect(await attemptsOf(answer)).toEqual([
      ['cancelled', undefined],
      ['ok', 'hedged'],
    ])
    const [last, lost, ...others] = entriesOf(harness, row.id)
    expect(last).toMatchObject({ kind: 'request', attempt: 2, model: FAST })
    expect(lost).toMatchObject({ kind: 'attempt', attempt: 1, model: SLOW })
    expect([lost?.provenance, others]).toEqual(['estimated', []])
    expect(lost?.costNanoUsd).toBeGreaterThan(0)
    const total = (last?.costNanoUsd ?? 0) + (lost?.costNanoUsd ?? 0)
    expect(row.costNanoUsd).toBe(total)
    if (!stream) expect(Number(answer.headers.get('x-tg-cost-usd'))).toBeCloseTo(total / 1e9, 12)
    const explained = await fetch(`${harness.gateway.url}/v1/requests/${row.id}`)
    expect(await explained.json()).toMatchObject({ hedged: true, continued: false })
  })

  test('may still win', async () => {
    const { opened, open } = gate()
    const a = async () => {
      await opened
      return whole()
    }
    const b = () => {
      open()
      return new Promise<Response>(() => {})
    }
    const model = await answering({ a, b }, { targets: ['a', 'b'] })
    const answer = await harness.chat({ model })
    expect(servedBy(answer)).toBe('a')
    expect(await attemptsOf(answer)).toEqual([
      ['ok', undefined],
      ['cancelled', 'hedged'],
    ])
    const [last, lost] = entriesOf(harness, (await harness.rowOf(answer)).id)
    expect([last?.model?.[0], last?.attempt, lost?.model?.[0], lost?.attempt]).toEqual([
      ...['a', 1, 'b', 2],
    ])
  })

  test('may fail while the other one answers', async () => {
    const { opened, open } = gate()
    const failed = gate()
    const a = async () => {
      await opened
      failed.open()
      return failing(500, 'down')
    }
    const b = async () => {
      open()
      await failed.opened
      return whole()
    }
    const model = await answering({ a, b }, { targets: ['a', 'b'] })
    const answer = await harness.chat({ model })
    expect([answer.status, servedBy(answer)]).toEqual([200, 'b'])
  })

  test('fails with its own error where the other one fails too', async () => {
    const { opened, open } = gate()
    const a = async () => {
      await opened
      return failing(500, 'the first is down')
    }
    const b = () => {
      open()
      return failing(503, 'the second is down')
    }
    const model = await answering({ a, b }, { targets: ['a', 'b'] })
    const answer = await harness.chat({ model })
    expect([answer.status, await answer.text()]).toEqual([
      ...[500, expect.stringContaining('the first is down')],
    ])
    expect((await attemptsOf(answer))?.length).toBe(2)
  })

  test('and its rival leave the rest of the plan to be tried, each once', async () => {
    const { opened, open } = gate()
    const a = async () => {
      await opened
      return failing(500, 'down')
    }
    const b = () => {
      open()
      return failing(503, 'down')
    }
    const model = await answering({ a, b }, { targets: ['a', 'b', FAST] })
    const answer = await harness.chat({ model })
    expect([answer.status, servedBy(answer)]).toEqual([200, FAST])
    expect((await attemptsOf(answer))?.length).toBe(3)
  })

  test('that refuses what is asked ends the race', async () => {
    const { opened, open } = gate()
    const a = async () => {
      await opened
      return failing(400, 'no such temperature')
    }
    const b = () => {
      open()
      return new Promise<Response>(() => {})
    }
    const model = await answering({ a, b }, { targets: ['a', 'b'] })
    expect((await harness.chat({ model })).status).toBe(400)
  })

  test('is not known before twenty answers, and then by its 95th percentile', async () => {
    let isSlow = false
    const a = () => (isSlow ? new Promise<Response>(() => {}) : whole())
    const hedge = { after: 'p95', max_percent: 50 }
    const model = await answering({ a, b: whole }, { targets: ['a', 'b'], hedge })
    for (let asked = 0; asked < 21; asked++) await (await harness.chat({ model })).text()
    isSlow = true
    const answer = await harness.chat({ model })
    expect(servedBy(answer)).toBe('b')
  })
})

describe('nobody else is asked', () => {
  test('where the first answers in time', async () => {
    const model = await answering(
      { a: whole },
      { targets: ['a', FAST], hedge: { ...NOW, after: '1m' } }
    )
    const answer = await harness.chat({ model })
    expect(await attemptsOf(answer)).toEqual([['ok', undefined]])
  })

  test('beyond the share of requests that may have a second attempt', async () => {
    const { opened, open } = gate()
    let asked = 0
    const a = async () => {
      if (++asked === 12) open()
      await opened
      return whole()
    }
    const hedge = { after: '10ms', max_percent: 10 }
    const model = await answering({ a, b: whole }, { targets: ['a', 'b'], hedge })
    const answers = await Promise.all(Array.from({ length: 12 }, () => harness.chat({ model })))
    const raced = answers.filter(({ headers }) => headers.get('x-tg-attempts') === '2')
    // One from the start, and a tenth of twelve.
    expect(raced.length).toBeLessThanOrEqual(2)
  })

  test('where the limits of the caller have no room for both', async () => {
    const { opened, open } = gate()
    const a = async () => {
      await opened
      return whole()
    }
    setTimeout(open, 300)
    // Held: 1,000 and some tokens in at 1, 1,000 out at 2 USD a million.
    const budgets = [{ subject: 'organization', limit_usd: 0.005 }]
    const targets = { targets: ['a', 'b'] }
    const model = await answering({ a, b: whole }, targets, { budgets })
    const answer = await harness.chat({ model, max_tokens: 1_000 })
    expect([answer.status, answer.headers.get('x-tg-attempts')]).toEqual([200, '1'])
    await harness.reload(OPTIONS)
  })

  test.each([
    ['a response that its provider keeps', '/v1/responses', { input: 'Hi' }, 'a'],
    ['one that it does not keep', '/v1/responses', { input: 'Hi', store: false }, 'b'],
    [
      'a hosted tool',
      '/v1/responses',
      { input: 'Hi', store: false, tools: [{ type: 'web_search' }] },
      'a',
    ],
    ['an embedding, which leaves nothing behind', '/v1/embeddings', { input: 'Hi' }, 'b'],
  ])('where something would stay behind: %s', async (_, path, body, served) => {
    const { opened, open } = gate()
    const embedding = { object: 'embedding', index: 0, embedding: [0.5] }
    const usage = { prompt_tokens: 1, total_tokens: 1 }
    const answerTo = () =>
      path === '/v1/embeddings'
        ? Response.json({ object: 'list', data: [embedding], model: 'm', usage })
        : whole()
    const a = async () => {
      await opened
      return answerTo()
    }
    setTimeout(open, 300)
    const model = await answering({ a, b: answerTo }, { targets: ['a', 'b'] })
    const answer = await fetch(`${harness.gateway.url}${path}`, {
      method: 'POST',
      body: JSON.stringify({ model, ...body }),
    })
    expect([answer.status, servedBy(answer)]).toEqual([200, served])
    const lost = entriesOf(harness, (await harness.rowOf(answer)).id).filter(
      ({ kind }) => kind === 'attempt'
    )
    expect(lost.map(({ provenance }) => provenance)).toEqual(served === 'b' ? ['estimated'] : [])
  })
})

test('the deadlines of both run', async () => {
  const silent = () => new Promise<Response>(() => {})
  const model = await answering(
    { a: silent, b: silent },
    { targets: ['a', 'b'] },
    { deadlines: { first_byte: '300ms' } }
  )
  const answer = await harness.chat({ model })
  expect(answer.status).toBe(504)
  expect((await harness.rowOf(answer)).attempts?.map(({ errorCode }) => errorCode)).toEqual([
    ...['upstream_timeout', 'upstream_timeout'],
  ])
})

test('a client that leaves cancels both', async () => {
  const routes = { leaving: { targets: [SLOW, `${SLOW};tokens=9`], hedge: NOW } }
  await harness.reload({ ...OPTIONS, routes })
  const leaving = new AbortController()
  const headers = { 'x-request-id': 'leaves' }
  const answer = harness.chat({ model: 'leaving' }, { signal: leaving.signal, headers })
  answer.catch(() => {})
  await until(() => harness.simulator.stats().open === 2)
  leaving.abort()
  await until(
    () => harness.simulator.stats().cancelled === 2 && harness.simulator.stats().open === 0
  )
  const row = await harness.row(({ clientRequestId }) => clientRequestId === 'leaves')
  expect(row).toMatchObject({
    outcome: 'cancelled',
    attempts: [{ outcome: 'cancelled' }, { outcome: 'cancelled', retryOf: 'hedged' }],
  })
})

test('a stream that has won and breaks off is gone on with', async () => {
  const chunk = {
    id: 'x',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta: { content: 'You ' } }],
  }
  const b = () => eventStream([`data: ${JSON.stringify(chunk)}\n\n`, 'data: {"oops\n\n'])
  const a = () => new Promise<Response>(() => {})
  const model = await answering({ a, b }, { targets: ['a', 'b', FAST], continue_streams: true })
  const answer = await harness.chat({ model, stream: true })
  const { events, terminators, errors } = await eventsOf(answer)
  expect([terminators, errors]).toEqual([1, []])
  expect(contentOf(events)).toStartWith('You ')
  expect((await attemptsOf(answer))?.map(([, retryOf]) => retryOf)).toEqual([
    ...[undefined, 'hedged', 'continued'],
  ])
})

test('the books agree at the end', async () => {
  const settled = { counter_differences: [], differences: [] }
  expect(await verifyBooks(harness)).toMatchObject({ ok: true, unresolved: 0, ...settled })
})
