import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'

import { openDataDirectory } from '../src/cli/data-directory'
import { openGateway } from '../src/cli/open-gateway'
import { runCommandLine } from '../src/cli/program'
import { stringOf } from '../src/std/record'
import { createProgramLog } from '../src/telemetry/program-log'
import { errorOf, eventsOf } from './answers'
import { startHarness, until, type Harness, type HarnessOptions } from './harness'
import { eventStream, startUpstream, type Upstream } from './upstream'

/** How the host answers a key: as said, else well. */
type Fate = () => Response

const ANSWER = {
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
}
const CHUNKS = [
  'data: {"id":"x","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n',
  'data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
  'data: {"id":"x","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n',
  'data: [DONE]\n\n',
]

const KEYS = {
  TG_POOL_A: 'sk-pool-a-secret',
  TG_POOL_B: 'sk-pool-b-secret',
  TG_POOL_C: 'sk-c-secret',
}

let upstream: Upstream
let fates: Record<string, Fate>
const open: Harness[] = []

beforeAll(() => {
  Object.assign(process.env, KEYS)
  upstream = startUpstream((request, body) => {
    const key = request.headers.get('authorization')?.replace(/^Bearer sk-(pool-)?|-secret$/g, '')
    const fate = fates[key ?? '']
    if (fate) return fate()
    return body.includes('"stream":true') ? eventStream(CHUNKS) : Response.json(ANSWER)
  })
})
beforeEach(() => {
  fates = {}
  upstream.received.length = 0
})
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.stop()
})
afterAll(async () => {
  for (const name of Object.keys(KEYS)) delete process.env[name]
  await upstream.stop()
})

const A = { name: 'a', api_key: '${TG_POOL_A}', weight: 1_000_000 }
const B = { name: 'b', api_key: '${TG_POOL_B}', weight: 0.000001 }

/** A pool in which `a` is always chosen before `b`. */
function pooled(credentials: readonly unknown[] = [A, B]): HarnessOptions {
  const pool = { type: 'openai', base_url: upstream.url, model_list: false, credentials }
  return { providers: { pool } }
}

async function start(options: HarnessOptions = pooled()): Promise<Harness> {
  const harness = await startHarness(options)
  open.push(harness)
  return harness
}

const ask = (harness: Harness, body: Record<string, unknown> = {}) =>
  harness.chat({ model: 'pool/m', ...body })

function keysUsed(): string[] {
  return upstream.received
    .splice(0)
    .map(
      ({ headers }) => headers['authorization']?.replace(/^Bearer sk-(pool-)?|-secret$/g, '') ?? ''
    )
}

function throttle(headers: Record<string, string> = {}): Fate {
  const error = { message: 'slow', type: 'requests', param: null, code: 'rate_limit_exceeded' }
  return () => Response.json({ error }, { status: 429, headers })
}

function refuse(status = 401): Fate {
  const error = { message: 'Incorrect API key', type: 'invalid_request_error', code: null }
  return () => Response.json({ error }, { status })
}

const warnings = ({ programLines }: Harness) =>
  programLines.filter((line) => line.includes('a credential is not used for now'))

describe('another credential', () => {
  test('answers in the place of one that is throttled, whole and streamed', async () => {
    const harness = await start()
    fates['a'] = throttle({ 'retry-after': '60' })
    const whole = await ask(harness)
    expect(whole.status).toBe(200)
    expect(whole.headers.get('x-tg-attempts')).toBe('2')
    expect(await whole.json()).toEqual(ANSWER)
    expect(keysUsed()).toEqual(['a', 'b'])
    expect((await harness.rowOf(whole)).attempts).toMatchObject([
      { provider: 'pool', credential: 'a', status: 429, outcome: 'failed' },
      {
        provider: 'pool',
        credential: 'b',
        status: 200,
        outcome: 'ok',
        retryOf: 'credential_rotated',
      },
    ])

    // It cools down, for this model.
    const streamed = await ask(harness, { stream: true, model: 'pool/other' })
    const { errors, terminators } = await eventsOf(streamed)
    expect([errors, terminators]).toEqual([[], 1])
    expect(keysUsed()).toEqual(['a', 'b'])
    expect((await ask(harness, { stream: true })).status).toBe(200)
    expect(keysUsed()).toEqual(['b'])
  })

  test('answers in the place of one that is refused, which is told of by name alone', async () => {
    const harness = await start()
    fates['a'] = refuse()
    for (let round = 0; round < 3; round++) expect((await ask(harness)).status).toBe(200)
    expect(keysUsed()).toEqual(['a', 'b', 'b', 'b'])
    expect(warnings(harness)).toHaveLength(1)
    expect(JSON.parse(warnings(harness)[0] ?? '')).toMatchObject({
      ...{ level: 'warn', provider: 'pool', credential: 'a', reason: 'refused', seconds: 60 },
    })
    for (const line of harness.programLines) expect(line).not.toMatch(/sk-pool|sk-c-/)
  })

  test('answers in the place of one without credit, and is not kept from other models by a 403', async () => {
    const harness = await start()
    fates['a'] = () =>
      Response.json({ error: { message: 'Insufficient Balance' } }, { status: 402 })
    fates['b'] = refuse(403)
    expect((await ask(harness)).status).toBe(502)
    delete fates['b']
    expect((await ask(harness, { model: 'pool/other' })).status).toBe(200)
    expect(keysUsed()).toEqual(['a', 'b', 'b'])
  })

  test('does not help against what is no fault of the first', async () => {
    const harness = await start()
    fates['a'] = () => Response.json({ error: { message: 'oops' } }, { status: 500 })
    expect((await ask(harness)).status).toBe(500)
    expect(keysUsed()).toEqual(['a'])
  })

  test('is chosen where the first is for other models', async () => {
    const harness = await start(pooled([{ ...A, models: ['gpt-*'] }, B]))
    expect((await ask(harness)).status).toBe(200)
    expect((await ask(harness, { model: 'pool/gpt-5' })).status).toBe(200)
    expect(keysUsed()).toEqual(['b', 'a'])
  })

  test('is chosen where a limit of the first has no room', async () => {
    const harness = await start({
      ...pooled(),
      limits: [{ subject: 'credential/pool/a', requests: 2, per: '1h' }],
    })
    for (let round = 0; round < 4; round++) expect((await ask(harness)).status).toBe(200)
    expect(keysUsed()).toEqual(['a', 'a', 'b', 'b'])
  })
})

describe('a pool without a credential that is left', () => {
  test('throttled, answers with the time of the first that is back, and asks nobody meanwhile', async () => {
    const harness = await start()
    fates['a'] = throttle({ 'retry-after': '20', 'retry-after-ms': '20000' })
    fates['b'] = throttle({ 'retry-after': '200' })
    const first = await ask(harness)
    expect(first.status).toBe(429)
    expect(first.headers.get('retry-after')).toBe('20')
    expect(first.headers.get('retry-after-ms')).toBeNull()
    // In the host's own words.
    expect((await errorOf(first)).code).toBe('rate_limit_exceeded')
    expect(keysUsed()).toEqual(['a', 'b'])

    const next = await ask(harness, { stream: true })
    expect(next.status).toBe(429)
    expect(Number(next.headers.get('retry-after'))).toBeGreaterThan(15)
    expect(keysUsed()).toEqual([])
    const row = await harness.rowOf(next)
    expect(row).toMatchObject({ status: 429, outcome: 'failed', errorCode: 'upstream_refused' })
    expect(row.route?.passed).toEqual([['pool/m', 'cooling_down']])
  })

  test('throttled and refused, tells of the one that will be back', async () => {
    const harness = await start()
    fates['a'] = throttle({ 'retry-after': '20' })
    fates['b'] = refuse()
    const response = await ask(harness)
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '20'])
  })

  test('throttled for a moment, is asked again after it where retries are configured', async () => {
    const harness = await start({ ...pooled(), failover: { retries: 1 } })
    fates['b'] = throttle({ 'retry-after': '60' })
    fates['a'] = () => {
      delete fates['a']
      return throttle({ 'retry-after-ms': '300' })()
    }
    const response = await ask(harness)
    expect(response.status).toBe(200)
    expect(keysUsed()).toEqual(['a', 'b', 'a'])
    expect((await harness.rowOf(response)).attempts).toMatchObject([
      { credential: 'a' },
      { credential: 'b', retryOf: 'credential_rotated' },
      { credential: 'a', retryOf: 'backoff' },
    ])
  })

  test("refused, answers as one refused credential does, without the host's words", async () => {
    const harness = await start()
    fates['a'] = refuse()
    fates['b'] = refuse()
    for (let round = 0; round < 2; round++) {
      const response = await ask(harness)
      expect(response.status).toBe(502)
      const error = await errorOf(response)
      expect(error.code).toBe('upstream_unauthorized')
      expect(error.message).not.toContain('Incorrect')
    }
    expect(keysUsed()).toEqual(['a', 'b'])
  })

  test('for a model, says so', async () => {
    const harness = await start(pooled([{ ...A, models: ['gpt-*'] }]))
    const response = await ask(harness)
    expect([response.status, (await errorOf(response)).code]).toEqual([404, 'model_not_found'])
  })

  test('limited, answers with the limit', async () => {
    const limits = [{ subject: 'credential/*', requests: 1, per: '1h' }]
    const harness = await start({ ...pooled(), limits })
    const statuses: number[] = []
    for (let round = 0; round < 3; round++) statuses.push((await ask(harness)).status)
    expect(statuses).toEqual([200, 200, 429])
    expect(keysUsed()).toEqual(['a', 'b'])
  })
})

describe('a key bound to credentials', () => {
  async function keyFor(harness: Harness, name: string, credentials: string) {
    const lines: string[] = []
    const output = { out: (line: string) => void lines.push(line), error: () => {} }
    const args = ['keys', 'create', '--name', name, '--credentials', credentials, '--json']
    const data = ['--data', harness.directory.path]
    expect(await runCommandLine([...args, ...data], output)).toBe(0)
    const headers = { authorization: `Bearer ${stringOf(JSON.parse(lines.join('')), 'key')}` }
    await until(async () => (await fetch(`${harness.gateway.url}/v1/models`, { headers })).ok)
    return headers
  }

  test('uses no others, and is refused where there are none', async () => {
    const single = { type: 'openai', base_url: upstream.url, api_key: '${TG_POOL_A}' }
    const { providers } = pooled()
    const harness = await start({ providers: { ...providers, single } })
    const headers = await keyFor(harness, 'b-only', '*/b')
    expect((await harness.chat({ model: 'pool/m' }, { headers })).status).toBe(200)
    fates['b'] = throttle({ 'retry-after': '60' })
    const throttled = await harness.chat({ model: 'pool/m' }, { headers })
    expect(throttled.status).toBe(429)
    expect(keysUsed()).toEqual(['b', 'b'])

    const refused = await harness.chat({ model: 'single/m' }, { headers })
    expect([refused.status, (await errorOf(refused)).code]).toEqual([403, 'model_not_allowed'])
    const bound = await keyFor(harness, 'none', 'pool/nobody')
    const none = await harness.chat({ model: 'pool/m' }, { headers: bound })
    expect([none.status, (await errorOf(none)).code]).toEqual([403, 'model_not_allowed'])
    // The list says nothing of other providers.
    expect((await harness.chat({ model: 'single/m' }, { headers: bound })).status).toBe(200)
    expect(keysUsed()).toEqual(['a'])
  })
})

describe('a reload', () => {
  test('keeps what cools down, and ends what was refused', async () => {
    const C = { name: 'c', api_key: '${TG_POOL_C}', weight: 1_000_000 }
    const harness = await start(pooled([A, C, B]))
    fates['a'] = throttle({ 'retry-after': '60' })
    fates['c'] = refuse()
    expect((await ask(harness)).status).toBe(200)
    // Whichever of the heavy two came first, the other came next.
    expect(keysUsed().toSorted()).toEqual(['a', 'b', 'c'])
    delete fates['a']
    delete fates['c']
    expect((await ask(harness)).status).toBe(200)
    expect(keysUsed()).toEqual(['b'])
    await harness.reload(pooled([A, C, B]))
    expect((await ask(harness)).status).toBe(200)
    expect(keysUsed()).toEqual(['c'])
  })

  test('forgets of a credential with a new secret', async () => {
    const harness = await start()
    fates['a'] = throttle({ 'retry-after': '60' })
    expect((await ask(harness)).status).toBe(200)
    keysUsed()
    process.env['TG_POOL_A'] = KEYS.TG_POOL_C
    await harness.reload(pooled())
    process.env['TG_POOL_A'] = KEYS.TG_POOL_A
    expect((await ask(harness)).status).toBe(200)
    expect(keysUsed()).toEqual(['c'])
  })
})

describe('after a start', () => {
  const limitOf = (requests: number) => ({
    limits: [{ subject: 'credential/pool/a', requests, per: '1h' }],
  })

  // Two requests that it answered, and where it was limited the attempt in vain.
  test.each<[string, HarnessOptions, number]>([
    ['a limit', limitOf(100), 3],
    ['a limit that was not there before', {}, 2],
  ])('%s knows what its credential was used for', async (_, before, used) => {
    const harness = await start({ ...pooled(), ...before })
    for (let round = 0; round < 2; round++) expect((await ask(harness)).status).toBe(200)
    fates['a'] = throttle({ 'retry-after': '1' })
    expect((await ask(harness)).status).toBe(200)
    expect(keysUsed()).toEqual(['a', 'a', 'a', 'b'])
    delete fates['a']
    await harness.drain()

    const { directory, secret } = openDataDirectory(harness.directory.path)
    const configuration = await harness.configure({ ...pooled(), ...limitOf(used + 1) })
    const programLog = createProgramLog({ level: 'error', format: 'json', write() {} })
    const next = openGateway({ configuration, directory, secret, programLog })
    try {
      const body = JSON.stringify({ model: 'pool/m', messages: [{ role: 'user', content: 'Hi' }] })
      for (let round = 0; round < 2; round++)
        await fetch(`${next.url}/v1/chat/completions`, { method: 'POST', body })
      expect(keysUsed()).toEqual(['a', 'b'])
    } finally {
      await next.drain(1_000)
    }
  })
})

describe('a conversation', () => {
  test('stays with the credential that holds its prompt, until that is throttled', async () => {
    const even = [A, B].map(({ name, api_key }) => ({ name, api_key, weight: 1 }))
    const harness = await start(pooled(even))
    const turn = (number: number) => ({
      messages: [
        { role: 'user', content: 'Begin' },
        ...Array.from({ length: number }, (_, at) => ({
          role: at % 2 === 0 ? 'assistant' : 'user',
          content: `${at}`,
        })),
      ],
    })
    for (let number = 0; number < 24; number += 2) await ask(harness, turn(number))
    const [first = '', ...others] = new Set(keysUsed())
    expect(others).toEqual([])
    fates[first] = throttle({ 'retry-after': '60' })
    await ask(harness, turn(24))
    await ask(harness, turn(26))
    const other = first === 'a' ? 'b' : 'a'
    expect(keysUsed()).toEqual([first, other, other])
  })
})

describe('one credential', () => {
  test('that is throttled has its answer passed on, each time, and no name', async () => {
    const pool = { type: 'openai', base_url: upstream.url, api_key: '${TG_POOL_A}' }
    const harness = await start({ providers: { pool } })
    fates['a'] = throttle({ 'retry-after': '60' })
    for (let round = 0; round < 2; round++) {
      const response = await ask(harness)
      expect([response.status, response.headers.get('retry-after')]).toEqual([429, '60'])
      const [attempt, ...others] = (await harness.rowOf(response)).attempts ?? []
      expect(attempt).not.toHaveProperty('credential')
      expect(others).toEqual([])
    }
    expect(keysUsed()).toEqual(['a', 'a'])
  })
})
