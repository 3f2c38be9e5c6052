import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { contentOf, eventsOf, takeApart } from './answers'
import { startHarness, type Harness } from './harness'
import { cut, eventStream, startUpstream, type Upstream } from './upstream'

let upstream: Upstream
let harness: Harness
/** What the upstream says next. */
let answer: (request: Request) => Response = () => new Response(WHOLE)

// Spelled as no serializer would, so that one that was at work would show.
const WHOLE =
  ' {"choices" : [ {"message":{"content":"\\u00e9 \\/ é"}, "index":0,"finish_reason":"stop"} ],\n' +
  '\t"score": 1.0, "big": 12345678901234567890, "usage":{"prompt_tokens":3,"completion_tokens":2,"x":1e3}}\n'

const chunk = (delta: string, finish = 'null') =>
  `{"choices": [{"index":0, "delta":${delta}, "finish_reason":${finish}}], "p":1.50, "s":"\\u00e9é"}`
const FRAMES = [
  `data: ${chunk('{"role":"assistant","content":""}')}\n\n`,
  `data: ${chunk('{"content":"one"}')}\n\n`,
  `: between frames\n\n`,
  `event: delta\nid: 7\nretry: 10\ndata: ${chunk('{"content":"two"}')}\n\n`,
  `data:${chunk('{"content":"👋"}')}\r\n\r\n`,
  `data: {"choices":[{"index":0,\ndata: "delta":{"content":"three"}}]}\n\n`,
  `data: ${chunk('{}', '"stop"')}\n\n`,
]
const USAGE = `data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n`
const DONE = 'data: [DONE]\n\n'

beforeAll(async () => {
  upstream = startUpstream((request) => answer(request))
  harness = await startHarness({ providers: { raw: rawProvider(upstream.url) } })
})
afterAll(async () => {
  await harness.stop()
  await upstream.stop()
})

function rawProvider(url: string) {
  return { type: 'openai', base_url: url, api_key: 'none', headers: { 'x-extra': 'for the host' } }
}

/** Sends a body as it is written, and gives the answer and what the upstream was sent. */
async function send(body: string, init: RequestInit = {}, path = '/v1/chat/completions') {
  upstream.received.length = 0
  const response = await fetch(`${harness.gateway.url}${path}`, { method: 'POST', body, ...init })
  return { response, received: upstream.received[0] }
}

describe('a request', () => {
  test('reaches the upstream byte for byte but for its model', async () => {
    answer = () => new Response(WHOLE)
    const body =
      '\r\n{ "messages" : [{"role":"user","content":"h\\u00e9 \\ud83d\\ude00 é \\/ \\"model\\": \\"x\\""}],\n' +
      '\t"temperature":1.0,"seed":12345678901234567890, "model" :"raw/a/b", "unknown":{"z":1,"model":"raw/a/b","a":[1E3,-0.0]},\n' +
      '"n":1, "top_p":0.10,"unknown":null } \n'
    const { response, received } = await send(body)
    expect(response.status).toBe(200)
    expect(received?.body).toBe(body.replace('"raw/a/b"', '"a/b"'))
    expect(received?.path).toBe('/v1/chat/completions')
  })

  test('whose bare name its provider knows it by is not changed at all', async () => {
    await harness.reload({
      providers: { raw: { ...rawProvider(upstream.url), models: ['mïni'] } },
    })
    answer = () => new Response(WHOLE)
    const body = '{"model":"m\\u00efni" ,"messages":[]}'
    const { received } = await send(body)
    expect(received?.body).toBe(body)
  })

  test.each([
    ['/v1/completions', '{"prompt":"hi","model":"raw/x","echo":true}'],
    ['/v1/embeddings', '{"input":["a"],"model":"raw/x","dimensions":1e1,"stream":true}'],
  ])('of %s goes to the same path upstream', async (path, body) => {
    answer = () => new Response('{"choices":[{}],"data":[]}')
    const { response, received } = await send(body, {}, path)
    expect(response.status).toBe(200)
    expect(received?.path).toBe(path)
    expect(received?.body).toBe(body.replace('raw/x', 'x'))
  })

  // What the client wrote behind `"stream":true`, and what the upstream gets in its place.
  const ask = '"stream_options":{"include_usage":true}'
  test.each([
    ['', `,${ask}`],
    [',"stream_options":null', `,${ask}`],
    [',"stream_options": {  }', `,"stream_options": {"include_usage":true}`],
    [',"stream_options":{"include_usage":false}', `,${ask}`],
    [
      ',"stream_options":{ "x":1.0 , "include_usage" : false }',
      ',"stream_options":{ "x":1.0 , "include_usage" : true }',
    ],
    [
      ',"stream_options":{"include_obfuscation":false }',
      ',"stream_options":{"include_obfuscation":false ,"include_usage":true}',
    ],
    [',"stream_options":{"include_usage":true}', `,${ask}`],
    [
      ',"stream_options":{"x":[1], "include_usage" :true}',
      ',"stream_options":{"x":[1], "include_usage" :true}',
    ],
  ])('with the stream options %p asks for usage', async (written, sent) => {
    answer = () => eventStream([...FRAMES, DONE])
    const { response, received } = await send(`{"model":"raw/x","stream":true${written}}`)
    await response.text()
    expect(received?.body).toBe(`{"model":"x","stream":true${sent}}`)
  })

  test.each([',"stream":false', ',"stream":null', ''])(
    'that is not streamed (%p) asks for nothing',
    async (stream) => {
      answer = () => new Response(WHOLE)
      const { received } = await send(`{"model":"raw/x"${stream}}`)
      expect(received?.body).toBe(`{"model":"x"${stream}}`)
    }
  )

  test('asks no host for usage that refuses to be asked', async () => {
    await harness.reload({
      providers: { raw: { ...rawProvider(upstream.url), include_usage: false } },
    })
    answer = () => eventStream([...FRAMES, USAGE, DONE])
    const { response, received } = await send('{"model":"raw/x","stream":true}')
    expect(received?.body).toBe('{"model":"x","stream":true}')
    // What the host says unasked is the client's to see.
    expect(await response.text()).toContain(USAGE)
    await harness.reload({ providers: { raw: rawProvider(upstream.url) } })
  })

  test('takes the provider’s headers along and the few of the client that mean something there', async () => {
    answer = () => new Response(WHOLE)
    const { received } = await send('{"model":"raw/x"}', {
      headers: {
        'content-type': 'text/plain',
        'openai-beta': 'assistants=v2',
        'idempotency-key': 'once',
        'http-referer': 'https://app.example',
        'x-title': 'App',
        cookie: 'session=1',
        'x-api-key': 'client-secret',
        'api-key': 'client-secret',
        'x-goog-api-key': 'client-secret',
        authorization: 'Bearer client-secret',
        'x-tg-key': 'client-secret',
        'x-request-id': 'mine',
        'x-forwarded-for': '10.0.0.1',
        'x-stainless-lang': 'js',
        'openai-organization': 'org-client',
        'accept-encoding': 'gzip, br',
      },
    })
    expect(received?.headers).toMatchObject({
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      'x-extra': 'for the host',
      'openai-beta': 'assistants=v2',
      'idempotency-key': 'once',
      'http-referer': 'https://app.example',
      'x-title': 'App',
    })
    expect(JSON.stringify(received)).not.toContain('client-secret')
    for (const name of [
      'cookie',
      'authorization',
      'x-request-id',
      'x-forwarded-for',
      'x-stainless-lang',
      'openai-organization',
    ])
      expect(received?.headers).not.toHaveProperty(name)
  })

  test('carries the provider’s credential where it has one', async () => {
    process.env['RELAY_TEST_KEY'] = 'sk-of-the-provider'
    await harness.reload({
      providers: { raw: { ...rawProvider(upstream.url), api_key: '${RELAY_TEST_KEY}' } },
    })
    answer = () => new Response(WHOLE)
    const { received } = await send('{"model":"raw/x"}', {
      headers: { authorization: 'Bearer client-secret' },
    })
    expect(received?.headers['authorization']).toBe('Bearer sk-of-the-provider')
    await harness.reload({ providers: { raw: rawProvider(upstream.url) } })
  })
})

describe('a whole answer', () => {
  test('comes back byte for byte', async () => {
    answer = () => new Response(WHOLE, { status: 200 })
    const { response } = await send('{"model":"raw/x"}')
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.text()).toBe(WHOLE)
  })

  test('says where it came from, and nothing that only concerned the gateway', async () => {
    answer = () =>
      new Response(WHOLE, {
        headers: {
          'x-ratelimit-remaining-tokens': '9',
          'openai-processing-ms': '12',
          'x-request-id': 'theirs',
          'set-cookie': 'a=1',
          'x-powered-by': 'them',
          server: 'them',
          'openai-organization': 'org-of-the-gateway',
        },
      })
    const { response } = await send('{"model":"raw/a b/ü"}')
    const headers = Object.fromEntries(response.headers)
    expect(headers).toMatchObject({
      'x-ratelimit-remaining-tokens': '9',
      'openai-processing-ms': '12',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'server-timing': expect.stringMatching(/^gateway;dur=[\d.]+, upstream;dur=[\d.]+$/),
      'x-tg-model': 'raw/a%20b/%C3%BC',
      'x-tg-attempts': '1',
    })
    for (const name of ['set-cookie', 'x-powered-by', 'server', 'openai-organization'])
      expect(headers).not.toHaveProperty(name)
  })

  test('that came compressed is decoded, and so are its headers', async () => {
    answer = () =>
      new Response(Bun.gzipSync(WHOLE), { headers: { 'content-encoding': 'gzip', vary: '*' } })
    const { response } = await send('{"model":"raw/x"}', {
      headers: { 'accept-encoding': 'identity' },
    })
    expect(response.headers.get('content-encoding')).toBeNull()
    expect(await response.text()).toBe(WHOLE)
  })
})

describe('a streamed answer', () => {
  const whole = [...FRAMES, DONE].join('')

  test.each([1, 7, 64, 100_000])('comes back byte for byte, cut at %d bytes', async (sizeBytes) => {
    answer = () => eventStream(cut(whole, sizeBytes))
    const { response } = await send('{"model":"raw/x","stream":true}')
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(await response.text()).toBe(whole)
  })

  test.each([1, 7, 64, 100_000])(
    'loses the usage frame that only the gateway asked for, cut at %d bytes',
    async (sizeBytes) => {
      answer = () => eventStream(cut([...FRAMES, USAGE, DONE].join(''), sizeBytes))
      for (const options of ['', ',"stream_options":{"include_usage":false}']) {
        const { response } = await send(`{"model":"raw/x","stream":true${options}}`)
        expect(await response.text()).toBe(whole)
      }
    }
  )

  test('keeps the usage frame that its client asked for', async () => {
    const withUsage = [...FRAMES, USAGE, DONE].join('')
    answer = () => eventStream(cut(withUsage, 50))
    const { response } = await send(
      '{"model":"raw/x","stream":true,"stream_options":{"include_usage":true}}'
    )
    expect(await response.text()).toBe(withUsage)
  })

  test('keeps usage that stands in a frame with content', async () => {
    const inContent = `data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n`
    answer = () => eventStream([inContent, DONE])
    const { response } = await send('{"model":"raw/x","stream":true}')
    expect(await response.text()).toBe(inContent + DONE)
  })

  test('may end without [DONE] once every choice is finished', async () => {
    answer = () => eventStream(FRAMES)
    const { response } = await send('{"model":"raw/x","stream":true}')
    expect(await response.text()).toBe(FRAMES.join(''))
  })

  test('whose last frame lacks its blank line gets it', async () => {
    answer = () => eventStream([...FRAMES, 'data: [DONE]'])
    const { response } = await send('{"model":"raw/x","stream":true}')
    expect(await response.text()).toBe(whole)
  })

  test('begins with the first frames, not with the comments of a queue', async () => {
    answer = () => eventStream([': processing\n\n', ': processing\n\n', whole])
    const { response } = await send('{"model":"raw/x","stream":true}')
    expect(await response.text()).toBe(whole)
  })

  test('of many small chunks that leave at once arrives whole', async () => {
    answer = () => eventStream([...Array(5_000).fill(FRAMES[1]), ...FRAMES.slice(-1), USAGE + DONE])
    const { response } = await send('{"model":"raw/x","stream":true}')
    const { events, terminators } = await eventsOf(response)
    expect(events).toHaveLength(5_002)
    expect(terminators).toBe(1)
  })

  test('comes frame by frame: the first is there while the upstream waits with the second', async () => {
    const { promise: second, resolve: release } = Promise.withResolvers<string>()
    answer = () => {
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(Buffer.from(FRAMES[1] ?? ''))
          controller.enqueue(Buffer.from(await second))
          controller.close()
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    }
    const { response } = await send('{"model":"raw/x","stream":true}')
    const reader = response.body?.getReader()
    const first = await reader?.read()
    expect(Buffer.from(first?.value ?? []).toString()).toBe(FRAMES[1] ?? '')
    release([...FRAMES.slice(-1), DONE].join(''))
    let rest = ''
    for (let next = await reader?.read(); !next?.done; next = await reader?.read())
      rest += Buffer.from(next?.value ?? []).toString()
    expect(takeApart(rest).terminators).toBe(1)
  })

  test('that came compressed is decoded frame by frame', async () => {
    const response = await harness.chat({ model: 'sim/fault-gzip', stream: true })
    expect(response.headers.get('content-encoding')).toBeNull()
    const { events, terminators } = await eventsOf(response)
    expect(terminators).toBe(1)
    expect(contentOf(events)).toContain('tollgate')
  })

  test('of several choices, tools and reasoning passes like any other', async () => {
    const response = await harness.chat({
      stream: true,
      n: 3,
      tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }],
      tool_choice: 'required',
    })
    const { events, terminators, errors } = await eventsOf(response)
    expect(errors).toEqual([])
    expect(terminators).toBe(1)
    expect(events.filter((event) => event.includes('"finish_reason":"tool_calls"'))).toHaveLength(3)
  })
})
