import { afterAll, beforeAll, expect, test } from 'bun:test'
import { gunzipSync } from 'node:zlib'
import { listFaults } from './faults'
import { createSimulator, type Simulator } from './simulator'

let simulator: Simulator
beforeAll(() => {
  simulator = createSimulator()
})
afterAll(() => simulator.stop())

type Ask = { stream?: boolean; usage?: boolean; path?: string; headers?: Record<string, string> }

function bodyOf(model: string, { stream = false, usage = false }: Ask): string {
  const options = usage ? { stream_options: { include_usage: true } } : {}
  const messages = [{ role: 'user', content: 'Grüße 👋' }]
  return JSON.stringify({ model, stream, messages, ...options })
}

function ask(model: string, asked: Ask = {}): Promise<Response> {
  return fetch(`${simulator.url}${asked.path ?? '/v1/chat/completions'}`, {
    method: 'POST',
    body: bodyOf(model, asked),
    redirect: 'manual',
    headers: asked.headers ?? {},
  })
}

/** What crosses the wire until the connection closes or `enough` holds. */
function wire(model: string, asked: Ask, enough: (text: string) => boolean) {
  const body = bodyOf(model, asked)
  const { promise, resolve, reject } = Promise.withResolvers<{ text: string; ended: string }>()
  let text = ''
  let ended = 'open'
  const request =
    'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n' +
    `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  Bun.connect({
    hostname: '127.0.0.1',
    port: simulator.port,
    socket: {
      open: (socket) => void socket.write(request),
      data(socket, bytes) {
        text += bytes.toString()
        if (!enough(text)) return
        resolve({ text, ended })
        socket.terminate()
      },
      error(_, error) {
        ended = String(Reflect.get(error, 'code'))
      },
      close(_, error) {
        if (error) ended = String(Reflect.get(error, 'code'))
        else if (ended === 'open') ended = 'closed'
        resolve({ text, ended })
      },
    },
  }).catch(reject)
  return promise
}

async function frames(response: Response): Promise<string[]> {
  return (await response.text()).split('\n\n').filter((frame) => frame !== '')
}

const isFinish = (frame: string) => frame.includes('"finish_reason":"stop"')
const DONE = 'data: [DONE]'

test.each([
  [400, 'invalid_request_error', 'invalid_value'],
  [401, 'invalid_request_error', 'invalid_api_key'],
  [403, 'invalid_request_error', 'model_not_allowed'],
  [404, 'invalid_request_error', 'model_not_found'],
  [429, 'requests', 'rate_limit_exceeded'],
  [500, 'server_error', null],
  [503, 'server_error', null],
])('error-%d', async (status, type, code) => {
  for (const stream of [false, true]) {
    const response = await ask(`fault-error-${status}`, { stream })
    expect(response.status).toBe(status)
    expect(response.headers.get('retry-after')).toBe(status === 429 ? '1' : null)
    expect(await response.json()).toMatchObject({ error: { type, code } })
  }
})

test('hang-after-head and comments-only: a whole head and nothing that means anything', async () => {
  const hung = await wire('fault-hang-after-head', { stream: true }, (text) =>
    text.endsWith('\n\r\n')
  )
  expect(hung.text).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n1\r\n\n\r\n$/)
  const comments = await wire('fault-comments-only', { stream: true }, (text) =>
    /(: keep-alive\n\n[^]*){3}/.test(text)
  )
  expect(comments.text).not.toContain('data:')
  expect(comments.ended).toBe('open')
})

test('hang-mid-stream: some frames, no end, the connection stays', async () => {
  const { text, ended } = await wire(
    'fault-hang-mid-stream',
    { stream: true },
    (sofar) => (sofar.match(/\n\n/g)?.length ?? 0) >= 4
  )
  expect(text).toContain('"role":"assistant"')
  expect(text).not.toContain('[DONE]')
  expect(ended).toBe('open')
})

test('resets: before the head without a byte, in the middle after some frames', async () => {
  for (const model of ['fault-reset-before-headers', 'fault-reset-before-headers;ttft=20'])
    expect(await wire(model, {}, () => false)).toEqual({ text: '', ended: 'ECONNRESET' })
  for (const stream of [false, true]) {
    const midway = await wire('fault-reset-mid-stream', { stream }, () => false)
    expect(midway.text).toStartWith('HTTP/1.1 200 OK')
    expect(midway.text).toContain('"model":"fault-reset-mid-stream"')
    expect(midway.text).not.toContain('0\r\n\r\n')
    expect(midway.ended).toBe('ECONNRESET')
    const response = await ask('fault-reset-mid-stream', { stream })
    await expect(response.text()).rejects.toThrow('ECONNRESET')
  }
})

test('truncated-json: half the bytes under an honest content-length, or half a frame', async () => {
  const response = await ask('fault-truncated-json')
  const text = await response.text()
  expect(Number(response.headers.get('content-length'))).toBe(Buffer.byteLength(text))
  expect(() => JSON.parse(text)).toThrow()
  const streamed = await frames(await ask('fault-truncated-json', { stream: true }))
  expect(streamed).toHaveLength(5)
  expect(() => JSON.parse(streamed.at(-1)?.slice(6) ?? '""')).toThrow()
})

test('malformed-sse: one frame is no JSON, the rest is complete', async () => {
  const all = await frames(await ask('fault-malformed-sse', { stream: true }))
  const broken = all.filter((frame) => {
    try {
      return frame !== DONE && JSON.parse(frame.slice(6)) === undefined
    } catch {
      return true
    }
  })
  expect(broken).toHaveLength(1)
  expect(all.at(-1)).toBe(DONE)
})

test('ends: no-done has its finish, truncated-stream neither, both close in order', async () => {
  const noDone = await frames(await ask('fault-no-done', { stream: true }))
  expect(isFinish(noDone.at(-1) ?? '')).toBe(true)
  const truncated = await frames(await ask('fault-truncated-stream', { stream: true, usage: true }))
  expect(truncated.length).toBeGreaterThan(5)
  expect(truncated.some((frame) => isFinish(frame) || frame === DONE)).toBe(false)
  expect(truncated.at(-1)).toContain('"delta":{"content"')
})

test('error frames: first and alone, or after content, never followed by [DONE]', async () => {
  const first = await ask('fault-error-first-frame', { stream: true })
  expect(first.status).toBe(200)
  expect(await frames(first)).toEqual([expect.stringContaining('data: {"error":{"message"')])
  expect(await (await ask('fault-error-first-frame')).json()).toHaveProperty('error.code')
  const midway = await frames(await ask('fault-error-mid-stream', { stream: true }))
  expect(midway).toHaveLength(5)
  expect(midway.at(-1)).toStartWith('data: {"error":')
  expect(await (await ask('fault-error-mid-stream')).json()).toHaveProperty('usage')
})

test('usage: omitted, under choices null, or its question refused', async () => {
  const usage = { stream: true, usage: true }
  expect(await (await ask('fault-no-usage')).json()).not.toHaveProperty('usage')
  expect(await (await ask('fault-no-usage', usage)).text()).not.toContain('usage":')
  const nulls = await frames(await ask('fault-choices-null-usage', usage))
  expect(nulls.at(-2)).toContain('"choices":null,"usage":{"prompt_tokens":')
  const refused = await ask('fault-refuses-include-usage', usage)
  expect(refused.status).toBe(400)
  expect(await refused.json()).toHaveProperty('error.param', 'stream_options')
  expect((await ask('fault-refuses-include-usage', { stream: true })).status).toBe(200)
})

test('slow-drip: whole in the end, byte after byte', async () => {
  const response = await ask('fault-slow-drip')
  const chunks = await Array.fromAsync(response.body ?? [])
  expect(chunks.length).toBeGreaterThan(50)
  expect(JSON.parse(Buffer.concat(chunks).toString())).toHaveProperty(
    'choices.0.message.content',
    expect.stringContaining('Grüße 👋')
  )
})

test('huge-frame and huge-answer are as large as they say, and complete', async () => {
  const huge = await frames(await ask('fault-huge-frame', { stream: true }))
  expect(Math.max(...huge.map((frame) => frame.length))).toBeGreaterThan(1024 * 1024)
  expect(huge.at(-1)).toBe(DONE)
  const whole = await (await ask('fault-huge-answer')).text()
  expect(whole.length).toBeGreaterThan(70 * 1024 * 1024)
  expect(whole.slice(-2)).toBe('"}')
})

test('gzip: compressed though identity was asked for, whole and frame by frame', async () => {
  for (const stream of [false, true]) {
    const response = await fetch(`${simulator.url}/v1/chat/completions`, {
      method: 'POST',
      body: bodyOf('fault-gzip;tps=1000;tokens=5', { stream }),
      headers: { 'accept-encoding': 'identity' },
      decompress: false,
    })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    const text = gunzipSync(await response.bytes()).toString()
    if (stream) expect(text).toEndWith(`${DONE}\n\n`)
    else expect(JSON.parse(text)).toHaveProperty('usage.completion_tokens', 5)
    expect(await (await ask('fault-gzip;tokens=5', { stream })).text()).toContain('You')
  }
})

test('redirect: 307 to a place that remembers being reached', async () => {
  const response = await ask('fault-redirect')
  expect(response.status).toBe(307)
  expect(simulator.stats().redirectReached).toBe(false)
  await ask('fault-redirect', { path: response.headers.get('location') ?? '' })
  expect(simulator.stats().redirectReached).toBe(true)
})

test('answers of no protocol: HTML with either status, and nothing at all', async () => {
  for (const [model, status] of [
    ['fault-html-error', 502],
    ['fault-html-200', 200],
  ] as const) {
    const response = await ask(model)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toStartWith('text/html')
    expect(await response.text()).toContain('<h1>')
  }
  const empty = await ask('fault-empty-body')
  expect([empty.status, await empty.text()]).toEqual([200, ''])
})

test('leading-whitespace: blank lines before JSON, comments before frames', async () => {
  const text = await (await ask('fault-leading-whitespace')).text()
  expect(text).toStartWith('\n\n\n{')
  expect(JSON.parse(text)).toHaveProperty('usage')
  const [first, , third] = await frames(await ask('fault-leading-whitespace', { stream: true }))
  expect(first).toBe(': keep-alive')
  expect(third).toStartWith('data: {')
})

test('set-cookie and headers no client should see', async () => {
  const { headers, status } = await ask('fault-set-cookie')
  expect(status).toBe(200)
  expect(headers.getSetCookie()).toEqual([expect.stringContaining('__cf_bm=')])
  expect(headers.get('x-powered-by')).toBe('simulator')
})

test('a fault keeps the pace asked for, and comes by header for paths without a model', async () => {
  const begun = performance.now()
  expect((await ask('fault-error-500;ttft=40')).status).toBe(500)
  expect(performance.now() - begun).toBeGreaterThanOrEqual(39)
  const byHeader = await ask('sim-1', { headers: { 'x-sim': 'fault=error-503' } })
  expect(byHeader.status).toBe(503)
  const models = await fetch(`${simulator.url}/v1/models`, {
    headers: { 'x-sim': 'fault=html-error' },
  })
  expect(models.status).toBe(502)
})

test('faults reach embeddings too', async () => {
  const response = await fetch(`${simulator.url}/v1/embeddings`, {
    method: 'POST',
    body: JSON.stringify({ model: 'fault-truncated-json', input: 'x' }),
  })
  await expect(response.json()).rejects.toThrow()
})

test('every fault is listed with a line of what it does', () => {
  const faults = listFaults()
  expect(faults.length).toBeGreaterThanOrEqual(32)
  for (const { model, summary } of faults) {
    expect(model).toStartWith('fault-')
    expect(summary.length).toBeGreaterThan(10)
    expect(summary).not.toContain('\n')
  }
})
