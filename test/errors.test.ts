import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { errorOf } from './answers'
import { startHarness, type Harness } from './harness'
import { exchangeRaw } from './raw-client'

let harness: Harness

beforeAll(async () => {
  harness = await startHarness({ server: { max_body: '4KB' } })
})
afterAll(() => harness.stop())

const post = (body: string, path = '/v1/chat/completions') =>
  fetch(harness.gateway.url + path, { method: 'POST', body })

async function expectRefusal(response: Response, status: number, code: string) {
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  expect(response.headers.get('server-timing')).toMatch(/^gateway;dur=[\d.]+$/)
  const error = await errorOf(response)
  expect(error.code).toBe(code)
  return error
}

describe('a body that is not JSON', () => {
  test.each<[string, string]>([
    ['', 'byte 0 (line 1, column 1)'],
    ['[]', "unexpected '[' at byte 0"],
    ['"model"', 'byte 0'],
    ['{"model":"sim/sim-1",}', "unexpected '}' at byte 21 (line 1, column 22)"],
    ['{\n "model": "sim/sim-1"\n "n": 1}', "unexpected '\"' at byte 25 (line 3, column 2)"],
    ['{"model":"sim/sim-1"} x', "unexpected 'x' at byte 22"],
    ['{"model":"sim/sim-1"', 'the text ends too early at byte 20'],
    ['{"model":"sim/sim-1","n":01}', 'byte 26'],
    ['{"model":"sim/sim-1","n":NaN}', 'byte 25'],
    ["{'model':'sim/sim-1'}", 'byte 1'],
    ['{"model":"sim/sim-1","s":"\t"}', 'byte 26'],
    ['{"model":"sim/sim-1","s":"\\x"}', 'byte 27'],
    ['\uFEFF{"model":"sim/sim-1"}', 'byte 0'],
    [`{"a":${'['.repeat(600)}${']'.repeat(600)}}`, 'byte'],
  ])('%j is a 400 that says where', async (body, where) => {
    const error = await expectRefusal(await post(body), 400, 'invalid_json')
    expect(error.type).toBe('invalid_request_error')
    expect(error.message).toContain(where)
  })
})

describe('a field that decides the way of a request', () => {
  const rest = '"messages":[{"role":"user","content":"x"}]'
  test.each<[string, string, string]>([
    ['model', 'missing', `{${rest}}`],
    ['model', 'empty', `{"model":"",${rest}}`],
    ['model', 'no string', `{"model":["sim/sim-1"],${rest}}`],
    ['model', 'null', `{"model":null,${rest}}`],
    ['model', 'twice', `{"model":"sim/sim-1",${rest},"model":"sim/sim-2"}`],
    ['model', 'escaped', `{"mod\\u0065l":"sim/sim-1",${rest}}`],
    ['model', 'twice, once escaped', `{"model":"sim/sim-1","\\u006dodel":"sim/x",${rest}}`],
    ['stream', 'no boolean', `{"model":"sim/sim-1","stream":"true",${rest}}`],
    ['stream', 'a number', `{"model":"sim/sim-1","stream":1,${rest}}`],
    ['stream', 'twice', `{"model":"sim/sim-1","stream":true,"stream":false,${rest}}`],
    ['stream', 'escaped', `{"model":"sim/sim-1","\\u0073tream":true,${rest}}`],
    ['stream_options', 'no object', `{"model":"sim/sim-1","stream_options":[],${rest}}`],
    [
      'stream_options',
      'twice',
      `{"model":"sim/sim-1","stream_options":{},"stream_options":{},${rest}}`,
    ],
    ['stream_options', 'escaped', `{"model":"sim/sim-1","stream\\u005foptions":{},${rest}}`],
  ])('%s, %s, is a 400 that names it', async (param, _, body) => {
    const posts = () => harness.simulator.requests().filter(({ method }) => method === 'POST')
    const before = posts().length
    const error = await expectRefusal(await post(body), 400, 'invalid_request')
    expect(error.param).toBe(param)
    expect(error.message).toContain(`'${param}'`)
    expect(posts()).toHaveLength(before)
  })

  test('may be escaped or stand twice deeper down, where it decides nothing', async () => {
    const body = `{"model":"sim/sim-1",${rest},"metadata":{"model":"a","mod\\u0065l":"b","model":"c"}}`
    expect((await post(body)).status).toBe(200)
  })
})

describe('a path or method that is not served', () => {
  test.each([
    ['POST', '/chat/completions', /base URL/],
    ['GET', '/', /base URL/],
    ['POST', '/v1/answers', /\/v1\/chat\/completions/],
    ['POST', '/v1/chat/completions/', /serves/],
    ['PUT', '/v1/nothing', /serves/],
  ])('%s %s is a 404 with a hint', async (method, path, hint) => {
    const response = await fetch(harness.gateway.url + path, { method })
    const error = await expectRefusal(response, 404, 'route_not_found')
    expect(error.message).toMatch(hint)
  })

  test.each([
    ['GET', '/v1/chat/completions', 'POST'],
    ['PUT', '/v1/completions', 'POST'],
    ['DELETE', '/v1/embeddings', 'POST'],
    ['POST', '/v1/models', 'GET'],
    ['DELETE', '/v1/models/sim/sim-1', 'GET'],
    ['POST', '/v1/requests/x', 'GET'],
    ['POST', '/health/live', 'GET'],
  ])('%s %s is a 405 that says what is allowed', async (method, path, allowed) => {
    const response = await fetch(harness.gateway.url + path, { method })
    expect(response.headers.get('allow')).toBe(allowed)
    await expectRefusal(response, 405, 'method_not_allowed')
  })
})

describe('a body that is too large', () => {
  const large = JSON.stringify({ model: 'sim/sim-1', filler: 'x'.repeat(5_000) })

  test('is a 413 when it is declared', async () => {
    const error = await expectRefusal(await post(large), 413, 'request_too_large')
    expect(error.message).toContain('4000 bytes')
  })

  test('is a 413 before it is sent', async () => {
    const answer = await exchangeRaw(
      harness.gateway.port,
      'POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000000\r\n\r\n{'
    )
    expect(answer).toStartWith('HTTP/1.1 413 ')
    expect(answer).toContain('"code":"request_too_large"')
  })

  test('is a 413 when it comes in chunks', async () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < large.length; at += 500)
          controller.enqueue(Buffer.from(large.slice(at, at + 500)))
        controller.close()
      },
    })
    const response = await fetch(`${harness.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      body,
    })
    await expectRefusal(response, 413, 'request_too_large')
  })

  test('is no reason to refuse one that comes in chunks and is small enough', async () => {
    const text = '{"model":"sim/sim-1","messages":[{"role":"user","content":"hello"}]}'
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const letter of text) controller.enqueue(Buffer.from(letter))
        controller.close()
      },
    })
    const response = await fetch(`${harness.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      body,
    })
    expect(response.status).toBe(200)
    expect(harness.simulator.stats().lastRequest?.body).toBe(text.replace('sim/', ''))
  })
})

describe('without required keys', () => {
  const headersOf = (headers: Record<string, string>) => harness.chat({}, { headers })

  test.each(['localhost', '127.0.0.1:1', '[::1]:80', 'LOCALHOST:8080'])(
    'the host %s is this machine',
    async (host) => {
      expect((await headersOf({ host })).status).toBe(200)
    }
  )

  test.each([
    'attacker.example',
    'localhost.attacker.example:8080',
    '127.0.0.1.nip.example',
    '10.0.0.1',
  ])('the host %s is a name that was made to point here', async (host) => {
    const error = await expectRefusal(await headersOf({ host }), 403, 'origin_not_allowed')
    expect(error.message).toContain('Host')
  })

  test.each(['http://localhost:3000', 'http://127.0.0.1', 'http://[::1]:5173'])(
    'a page of %s may ask',
    async (origin) => {
      expect((await headersOf({ origin })).status).toBe(200)
    }
  )

  test.each(['https://attacker.example', 'null', 'http://localhost.attacker.example'])(
    'a page of %s may not',
    async (origin) => {
      await expectRefusal(await headersOf({ origin }), 403, 'origin_not_allowed')
    }
  )

  test('lists and requests are closed to other sites too', async () => {
    for (const path of ['/v1/models', '/v1/models/sim/sim-1', '/v1/requests/x']) {
      const response = await fetch(harness.gateway.url + path, {
        headers: { origin: 'https://attacker.example' },
      })
      await expectRefusal(response, 403, 'origin_not_allowed')
    }
  })
})

describe('health', () => {
  test('answers anyone, and says when the gateway is going', async () => {
    const other = await startHarness({ keys: { required: true } })
    const status = async (path: string) => (await fetch(other.gateway.url + path)).status
    expect(await status('/health/live')).toBe(200)
    expect(await status('/health/ready')).toBe(200)
    other.gateway.becomeUnready()
    expect(await status('/health/live')).toBe(200)
    expect(await status('/health/ready')).toBe(503)
    await other.stop()
  })
})
