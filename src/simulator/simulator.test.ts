import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createSimulator, type Simulator, type SimulatorOptions } from './simulator'

let simulator: Simulator
beforeAll(() => {
  simulator = createSimulator()
})
beforeEach(() => simulator.reset())
afterAll(() => simulator.stop())

function chat(model: string, more: object = {}, init: RequestInit = {}): Promise<Response> {
  return fetch(`${simulator.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello?' }], ...more }),
    ...init,
  })
}

/** Waits for a count that rises when the simulator has noticed something. */
async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 4000; !condition(); await Bun.sleep(2))
    if (Date.now() > end) throw new Error(`still ${JSON.stringify(simulator.stats())}`)
}

describe('answers', () => {
  test('equal requests have equal bytes, whole and streamed', async () => {
    for (const stream of [false, true]) {
      const texts = await Promise.all(
        [1, 2].map(async () => (await chat('sim-1', { stream })).text())
      )
      expect(texts[0]).toBe(texts[1] ?? '')
      expect(texts[0]).toContain('Hello?')
    }
  })

  test('carry the headers of a provider', async () => {
    const { headers } = await chat('sim-1')
    expect(headers.get('x-request-id')).toBe('req_sim_00000001')
    expect(headers.get('openai-processing-ms')).toMatch(/^\d+$/)
    expect(headers.get('x-ratelimit-limit-requests')).toBe('10000')
  })

  test('have the number of tokens asked for, in usage and in frames', async () => {
    const whole = await (await chat('sim-1;tokens=250')).json()
    expect(whole).toMatchObject({ usage: { completion_tokens: 250 } })
    const streamed = await (await chat('sim-1;tokens=3', { stream: true })).text()
    expect(streamed.match(/"delta":\{"content":"[^"]/g)?.length).toBe(3)
  })

  test('come at the pace asked for, each frame stamped with the time it left', async () => {
    const begun = performance.timeOrigin + performance.now()
    const model = 'sim-1;ttft=50;tps=100;tokens=6;stamp=1'
    const text = await (await chat(model, { stream: true })).text()
    const sent = [...text.matchAll(/"sim_sent_at_ms":([\d.]+)/g)].map((match) => Number(match[1]))
    // A start, six tokens, an end. A late frame delays none behind it, so only "not before" holds.
    expect(sent).toHaveLength(8)
    sent.slice(1, 7).forEach((atMs, index) => {
      expect(atMs - begun).toBeGreaterThanOrEqual(50 + index * 10 - 1)
    })
  })

  test('whole ones wait for their last token', async () => {
    const begun = performance.now()
    const response = await chat('sim-1;ttft=40;tps=100;tokens=5')
    expect(performance.now() - begun).toBeGreaterThanOrEqual(79)
    expect(response.headers.get('content-length')).not.toBeNull()
  })

  test.each([
    ['/v1/nothing', 'POST', '{}', 404],
    ['/v1/chat/completions', 'GET', undefined, 405],
    ['/v1/chat/completions', 'POST', '{"model":', 400],
    ['/v1/chat/completions', 'POST', '{"messages":[]}', 400],
    ['/v1/chat/completions', 'POST', '{"model":"sim-1","messages":[]}', 400],
    ['/v1/chat/completions', 'POST', '{"model":"sim-1;x=1","messages":[]}', 400],
    ['/v1/chat/completions', 'POST', '{"model":"fault-unknown","messages":[]}', 404],
  ])('%s by %s with %s is an error body', async (path, method, body, status) => {
    const init = body === undefined ? { method } : { method, body }
    const response = await fetch(`${simulator.url}${path}`, init)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } })
  })

  test('a body over the limit is refused', async () => {
    const response = await fetch(`${simulator.url}/v1/chat/completions`, {
      method: 'POST',
      body: new Uint8Array(65 * 1024 * 1024),
    })
    expect(response.status).toBe(413)
  })
})

describe('introspection', () => {
  test('keeps the last requests to the byte, found by model and by header', async () => {
    const body = '{ "messages":[{"role":"user","content":"h\\u00e9"}],  "model":"sim-1" , "x":1.0 }'
    await chat('another')
    await fetch(`${simulator.url}/v1/chat/completions?a=b`, {
      method: 'POST',
      body,
      headers: { 'x-test': 'mine', authorization: 'Bearer secret' },
    })
    const byHeader = await (await fetch(`${simulator.url}/sim/requests?header=x-test:mine`)).json()
    const byModel = await (await fetch(`${simulator.url}/sim/requests?model=sim-1`)).json()
    expect(byHeader).toEqual(byModel)
    expect(byHeader).toMatchObject([
      {
        number: 2,
        method: 'POST',
        path: '/v1/chat/completions?a=b',
        model: 'sim-1',
        body,
        headers: { authorization: 'Bearer secret' },
      },
    ])
    expect(simulator.requests()).toHaveLength(2)
    expect(simulator.requests({ model: 'none' })).toEqual([])
  })

  test('counts, and forgets when told', async () => {
    await Promise.all([chat('sim-1'), chat('sim-1'), chat('fault-error-500')])
    const stats = await (await fetch(`${simulator.url}/sim/stats`)).json()
    expect(stats).toMatchObject({ requests: 3, open: 0, cancelled: 0, redirectReached: false })
    expect(simulator.stats().connections).toBeGreaterThan(0)
    await fetch(`${simulator.url}/sim/reset`, { method: 'POST' })
    expect(simulator.stats()).toMatchObject({ requests: 0, lastRequest: undefined })
    expect((await fetch(`${simulator.url}/sim/none`)).status).toBe(404)
  })

  test('the ring holds 64 requests', async () => {
    for (let index = 0; index < 70; index++) await chat(`m-${index}`)
    const models = simulator.requests().map(({ model }) => model)
    expect(models).toHaveLength(64)
    expect([models.at(0), models.at(-1)]).toEqual(['m-6', 'm-69'])
  })
})

describe('a client that leaves is counted', () => {
  test.each([
    ['before headers', 'fault-hang-before-headers', false],
    ['while a whole answer is due', 'sim-1;ttft=60000', false],
    ['before the first token', 'sim-1;ttft=60000', true],
    ['mid-stream', 'sim-1;tps=1;tokens=100', true],
    ['in a hang mid-stream', 'fault-hang-mid-stream', true],
    ['behind a lone head', 'fault-hang-after-head', true],
    ['among comments', 'fault-comments-only', true],
  ])('%s', async (_, model, stream) => {
    const abort = new AbortController()
    const answered = chat(model, { stream }, { signal: abort.signal }).catch(() => undefined)
    await until(() => simulator.stats().open === 1)
    abort.abort()
    await until(() => simulator.stats().cancelled === 1)
    expect(simulator.stats().open).toBe(0)
    await answered
  })

  test('in the midst of a huge whole answer', async () => {
    const response = await chat('fault-huge-answer')
    const reader = response.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    await until(() => simulator.stats().cancelled === 1)
  })

  test('while it sends its body', async () => {
    const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{'
    const socket = await Bun.connect({
      hostname: '127.0.0.1',
      port: simulator.port,
      socket: { data: () => {} },
    })
    socket.write(head)
    await until(() => simulator.stats().open === 1)
    socket.end()
    await until(() => simulator.stats().cancelled === 1)
  })
})

test('a client that does not read holds the stream back', async () => {
  const response = await chat('fault-huge-answer', { stream: true })
  const reader = response.body?.getReader()
  const first = await reader?.read()
  // Time enough to send it all into memory, were nothing holding it back.
  await Bun.sleep(700)
  expect(simulator.stats().open).toBe(1)
  let sizeBytes = first?.value?.length ?? 0
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
    sizeBytes += next.value.length
  expect(sizeBytes).toBeGreaterThan(70 * 1024 * 1024)
  await until(() => simulator.stats().open === 0)
  expect(simulator.stats().cancelled).toBe(0)
})

test('speaks TLS with HTTP/2, and cancels and resets streams there too', async () => {
  const tls = { cert: CERTIFICATE, key: PRIVATE_KEY }
  const options: SimulatorOptions = { tls, http2: true }
  const secure = createSimulator(options)
  function ask(model: string, signal?: AbortSignal) {
    return fetch(`${secure.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
      protocol: 'http2',
      tls: { ca: CERTIFICATE },
      ...(signal ? { signal } : {}),
    })
  }
  expect(secure.url).toStartWith('https://')
  expect(await (await ask('sim-1')).text()).toEndWith('data: [DONE]\n\n')
  await expect(ask('fault-reset-before-headers')).rejects.toThrow()
  const abort = new AbortController()
  const hanging = await ask('fault-hang-mid-stream', abort.signal)
  abort.abort()
  await hanging.text().catch(() => undefined)
  for (const end = Date.now() + 4000; secure.stats().cancelled === 0; await Bun.sleep(2))
    if (Date.now() > end) throw new Error('the stream was not cancelled')
  expect(secure.stats().connections).toBe(1)
  await secure.stop()
})

/** For 127.0.0.1, valid for a century, made for this test alone. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUSj0A094IIFPExX4Y/IA4Y9ASEAYwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMjE4NDc1NloYDzIxMjYxMDI5
MTg0NzU2WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAT8PhA5RFHvPyBLmKKsGrkTj4GoKNHPlqW2sr3NgQ+x6sqHOjERInS0
Mor2MnejDbBeY7oNOocZOLn98os+vKNeo2QwYjAdBgNVHQ4EFgQU5B+WQIwoZzQD
xNjThhoHZXxPg+swHwYDVR0jBBgwFoAU5B+WQIwoZzQDxNjThhoHZXxPg+swDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
IC75AhxoDlMbDqAwTov6nB3Ywtja/iHGlGhqbqT/UIhlAiEApi7nhYvzwflXVJNJ
cooUm8K+IOwXZEyESF/s9lkm53g=
-----END CERTIFICATE-----
`

const PRIVATE_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7yh5NuP3MOP7NtGg
pK2Ia4AnLMu24xyji5PSFLs0WSShRANCAAT8PhA5RFHvPyBLmKKsGrkTj4GoKNHP
lqW2sr3NgQ+x6sqHOjERInS0Mor2MnejDbBeY7oNOocZOLn98os+vKNe
-----END PRIVATE KEY-----
`
