import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { gunzipSync } from 'node:zlib'
import {
  ANTHROPIC,
  COHERE,
  CONVERSE,
  FORMATS,
  GEMINI,
  GEMINI_ARRAY,
  INVOKE,
  RESPONSES,
  type TestFormat,
} from './fixtures/formats'
import { createSimulator, type Simulator } from './simulator'

let simulator: Simulator
beforeAll(() => {
  simulator = createSimulator()
})
afterAll(() => simulator.stop())

function ask(format: TestFormat, fault: string, stream = false, init: BunFetchRequestInit = {}) {
  const model = `fault-${fault}`
  return fetch(`${simulator.url}${format.path(model, stream)}`, {
    method: 'POST',
    body: JSON.stringify(format.body({ stream }, model)),
    redirect: 'manual',
    ...init,
  })
}

async function framesOf(format: TestFormat, fault: string) {
  const response = await ask(format, fault, true)
  expect(response.status).toBe(200)
  return format.frames(await response.bytes())
}

const saidIn = (format: TestFormat, bytes: Uint8Array) =>
  format
    .frames(bytes)
    .map(({ json }) => format.text(json))
    .join('')

/** The bytes up to where the connection stopped giving any, and whether it was reset. */
async function readUntilSilence(response: Response): Promise<{ bytes: Buffer; reset: boolean }> {
  const reader = response.body?.getReader()
  const chunks: Uint8Array[] = []
  try {
    for (;;) {
      const next = await Promise.race([reader?.read(), Bun.sleep(150)])
      if (!next || next.done) break
      chunks.push(next.value)
    }
    return { bytes: Buffer.concat(chunks), reset: false }
  } catch {
    return { bytes: Buffer.concat(chunks), reset: true }
  } finally {
    await reader?.cancel().catch(() => undefined)
  }
}

describe.each(FORMATS)('$name', (format) => {
  test.each([400, 401, 403, 404, 429, 500, 503])('error-%d', async (status) => {
    for (const stream of [false, true]) {
      const response = await ask(format, `error-${status}`, stream)
      const overloaded = format === ANTHROPIC && status === 503
      expect(response.status).toBe(overloaded ? 529 : status)
      expect(response.headers.get('retry-after')).toBe(status === 429 ? '1' : null)
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(await response.json()).toHaveProperty(format.errorMessage, expect.any(String))
    }
  })

  test('answers of no protocol', async () => {
    expect((await ask(format, 'redirect')).status).toBe(307)
    const page = await ask(format, 'html-error', true)
    expect([page.status, page.headers.get('content-type')?.slice(0, 9)]).toEqual([502, 'text/html'])
    await expect(ask(format, 'reset-before-headers')).rejects.toThrow()
    const abort = AbortSignal.timeout(100)
    await expect(ask(format, 'hang-before-headers', true, { signal: abort })).rejects.toThrow()
  })

  test('hang-mid-stream and reset-mid-stream: some text, no end', async () => {
    for (const fault of ['hang-mid-stream', 'reset-mid-stream']) {
      const { bytes, reset } = await readUntilSilence(await ask(format, fault, true))
      const text = bytes.toString('latin1')
      expect(reset).toBe(fault === 'reset-mid-stream')
      expect(text.length).toBeGreaterThan(50)
      expect(text).not.toContain(format.end)
      if (format !== GEMINI_ARRAY) expect(saidIn(format, bytes)).toBe('You said: “Hi”.')
    }
  })

  test('truncated-json: half an answer, or a stream that ends inside a frame', async () => {
    await expect((await ask(format, 'truncated-json')).json()).rejects.toThrow()
    const bytes = await (await ask(format, 'truncated-json', true)).bytes()
    if (format === GEMINI_ARRAY) expect(() => format.frames(bytes)).toThrow()
    else expect(saidIn(format, bytes)).toBe('You said: “Hi”.')
    expect(Buffer.from(bytes).toString('latin1')).not.toContain(format.end)
  })

  test('malformed-sse: one frame says nothing that can be read', async () => {
    const bytes = await (await ask(format, 'malformed-sse', true)).bytes()
    expect(Buffer.from(bytes).toString('latin1')).toContain(
      format === INVOKE ? ':event-type' : format.end
    )
    if (format === CONVERSE || format === INVOKE || format === GEMINI_ARRAY)
      return expect(() => format.frames(bytes)).toThrow()
    const broken = format.frames(bytes).filter(({ json }) => typeof json === 'string')
    return expect(broken).toHaveLength(1)
  })

  test('truncated-stream: an orderly end without the format’s last words', async () => {
    const bytes = await (await ask(format, 'truncated-stream', true)).bytes()
    expect(Buffer.from(bytes).toString('latin1')).not.toContain(format.end)
    if (format === GEMINI_ARRAY) return expect(() => format.frames(bytes)).toThrow()
    return expect(saidIn(format, bytes)).toStartWith('You said: “Hi”.')
  })

  test('error-first-frame: alone, behind a head that promised success', async () => {
    const frames = await framesOf(format, 'error-first-frame')
    expect(frames).toHaveLength(1)
    expect(JSON.stringify(frames)).toContain('The simulated model failed')
    const whole = await ask(format, 'error-first-frame')
    expect(whole.status).toBe(200)
    expect(await whole.json()).toHaveProperty(format.errorMessage, expect.any(String))
  })

  test('error-mid-stream: after some text, and nothing behind it', async () => {
    const frames = await framesOf(format, 'error-mid-stream')
    expect(frames.map(({ json }) => format.text(json)).join('')).toBe('You said: “Hi”.')
    expect(JSON.stringify(frames.at(-1))).toContain('The simulated model failed')
    expect(JSON.stringify(frames)).not.toContain(format.end)
  })

  test('no-usage: complete otherwise', async () => {
    const whole = JSON.stringify(await (await ask(format, 'no-usage')).json())
    expect(whole).toContain('You said')
    const frames = JSON.stringify(await framesOf(format, 'no-usage'))
    expect(frames).toContain(format.end)
    for (const answer of [whole, frames])
      expect(answer).not.toMatch(/"(usage(Metadata)?|[\w-]+Metrics)":/)
  })

  test('huge-frame: more than a megabyte, and complete', async () => {
    const frames = await framesOf(format, 'huge-frame')
    expect(Math.max(...frames.map(({ json }) => format.text(json).length))).toBeGreaterThan(1e6)
    expect(JSON.stringify(frames.at(-1))).toContain(format.end)
  })

  test('gzip: compressed though identity was asked for', async () => {
    const init = { headers: { 'accept-encoding': 'identity' }, decompress: false }
    const response = await ask(format, 'gzip', true, init)
    expect(response.headers.get('content-encoding')).toBe('gzip')
    expect(saidIn(format, gunzipSync(await response.bytes()))).toStartWith('You said')
  })

  test('hang-after-head and comments-only: a head and nothing that means anything', async () => {
    for (const fault of ['hang-after-head', 'comments-only']) {
      const response = await ask(format, fault, true)
      expect(response.status).toBe(200)
      const reader = response.body?.getReader()
      const first = await reader?.read()
      await reader?.cancel()
      expect(Buffer.from(first?.value ?? []).toString()).toMatch(
        /^(\n|: keep-alive\n\n|event: ping\n.*\n\n)+$/
      )
    }
  })
})

describe('what each format says of an error', () => {
  test('Anthropic: its types, by status', async () => {
    const type = async (status: number) =>
      JSON.parse(await (await ask(ANTHROPIC, `error-${status}`)).text()).error.type
    expect(await Promise.all([400, 401, 403, 404, 429, 500, 503].map(type))).toEqual([
      'invalid_request_error',
      'authentication_error',
      'permission_error',
      'not_found_error',
      'rate_limit_error',
      'api_error',
      'overloaded_error',
    ])
    const [frame] = await framesOf(ANTHROPIC, 'error-first-frame')
    expect(frame).toMatchObject({
      name: 'error',
      json: { type: 'error', error: { type: 'api_error' } },
    })
  })

  test('Gemini: a status name, and when to come back', async () => {
    expect(await (await ask(GEMINI, 'error-429')).json()).toMatchObject({
      error: { code: 429, status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: '1s' }] },
    })
    expect(await (await ask(GEMINI, 'error-503')).json()).not.toHaveProperty('error.details')
  })

  test('Cohere: a message, and in a stream an end for the reason ERROR', async () => {
    expect(await (await ask(COHERE, 'error-429')).json()).toEqual({
      id: expect.any(String),
      message: 'Rate limit reached.',
    })
    const [frame] = await framesOf(COHERE, 'error-first-frame')
    expect(frame).toMatchObject({
      name: 'message-end',
      json: { type: 'message-end', delta: { finish_reason: 'ERROR' } },
    })
  })

  test.each([CONVERSE, INVOKE])(
    'Bedrock $name: a type in a header, an exception in a stream',
    async (format) => {
      const types = await Promise.all(
        [400, 403, 404, 429, 500, 503].map(async (status) =>
          (await ask(format, `error-${status}`)).headers.get('x-amzn-errortype')
        )
      )
      expect(types).toEqual([
        'ValidationException',
        'AccessDeniedException',
        'ResourceNotFoundException',
        'ThrottlingException',
        'InternalServerException',
        'ServiceUnavailableException',
      ])
      const [frame] = await framesOf(format, 'error-first-frame')
      expect(frame?.name).toBe('exception:internalServerException')
    }
  )
})

test('no-done leaves out the end mark of formats that have one', async () => {
  const named = async (format: TestFormat) =>
    (await framesOf(format, 'no-done')).map(({ name }) => name)
  expect(await named(RESPONSES)).not.toContain('response.completed')
  expect((await named(COHERE)).at(-1)).toBe('content-end')
  expect((await named(ANTHROPIC)).at(-1)).toBe('message_delta')
  expect((await named(CONVERSE)).at(-1)).toBe('messageStop')
})

test('slow-drip: a byte at a time, whole in the end', async () => {
  const response = await ask(CONVERSE, 'slow-drip;tokens=2', true)
  const chunks = await Array.fromAsync(response.body ?? [])
  expect(chunks.length).toBeGreaterThan(50)
  expect(saidIn(CONVERSE, Buffer.concat(chunks))).toBe('You said:')
})
