import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { errorOf, eventsOf } from './answers'
import { startHarness, until, type Harness } from './harness'
import { eventStream, startSocketUpstream, startUpstream } from './upstream'

let harness: Harness

beforeAll(async () => {
  harness = await startHarness({ server: { head_hold: '10s' } })
})
afterAll(() => harness.stop())

const CONTENT = 'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
const COMMENT = ': still here\n\n'

/** Frames, then one of `repeated` each 50 ms for ever. */
function endless(frames: string[], repeated: string): Response {
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      for (const frame of frames) controller.enqueue(Buffer.from(frame))
      for (;;) {
        await Bun.sleep(50)
        try {
          controller.enqueue(Buffer.from(repeated))
        } catch {
          return
        }
      }
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}

/** Asks an upstream that answers so, and has these deadlines. */
async function ask(
  answer: () => Response,
  deadlines: Record<string, string>,
  use: (response: Response) => Promise<void>
) {
  const upstream = startUpstream(answer)
  try {
    await harness.reload({
      server: { head_hold: '10s' },
      providers: { slow: { type: 'openai', base_url: upstream.url, api_key: 'none', deadlines } },
    })
    await use(await harness.chat({ model: 'slow/x', stream: true }))
  } finally {
    await upstream.stop()
  }
}

async function expectTimeout(response: Response, says: string) {
  expect(response.status).toBe(504)
  expect(await errorOf(response)).toMatchObject({
    code: 'upstream_timeout',
    message: expect.stringContaining(says),
  })
}

async function expectTimeoutEvent(response: Response, says: string) {
  expect(response.status).toBe(200)
  const { errors, terminators } = await eventsOf(response)
  expect(errors).toMatchObject([
    { code: 'upstream_timeout', message: expect.stringContaining(says) },
  ])
  expect(terminators).toBe(0)
}

describe('x-tg-timeout-ms', () => {
  test('ends what takes longer', async () => {
    const slow = startUpstream(async () => {
      await Bun.sleep(5_000)
      return new Response('{}')
    })
    await harness.reload({
      providers: { slow: { type: 'openai', base_url: slow.url, api_key: 'none' } },
    })
    await expectTimeout(
      await harness.chat({ model: 'slow/x' }, { headers: { 'x-tg-timeout-ms': '50' } }),
      'within 50 ms'
    )
    await slow.stop()
  })

  test('is a number of milliseconds', async () => {
    const response = await harness.chat(
      { model: 'sim/sim-1' },
      { headers: { 'x-tg-timeout-ms': '2s' } }
    )
    expect(response.status).toBe(400)
    expect(await errorOf(response)).toMatchObject({ param: 'x-tg-timeout-ms' })
  })
})

describe('a deadline', () => {
  test.each([
    ['to connect', { connect: '200ms' }, 'could not be connected to within 200 ms'],
    // Connecting counts towards the first byte.
    ['to the first byte', { connect: '9s', first_byte: '200ms' }, 'sent nothing within 200 ms'],
  ])('%s ends a handshake that nobody answers', async (_, deadlines, says) => {
    const silent = await startSocketUpstream(() => {})
    const base_url = `https://127.0.0.1:${silent.port}/v1`
    await harness.reload({
      providers: {
        silent: { type: 'openai', base_url, api_key: 'none', model_list: false, deadlines },
      },
    })
    await expectTimeout(await harness.chat({ model: 'silent/x' }), says)
    silent.stop()
  })

  test('to connect does not run on where the connection stands', async () => {
    const deadlines = { connect: '1ms', first_byte: '5s' }
    await harness.reload({ sim: { deadlines } })
    const response = await harness.chat({ model: 'sim/sim-1;ttft=600' })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-tg-attempts')).toBe('1')
  })

  test('to the first byte is not moved by comments', () =>
    ask(
      () => endless([], COMMENT),
      { first_byte: '300ms' },
      (response) => expectTimeout(response, 'sent nothing within 300 ms')
    ))

  test('between frames runs from the first frame on, whatever it says', () =>
    ask(
      () => endless(['data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n'], COMMENT),
      { between_frames: '300ms' },
      (response) => expectTimeout(response, 'no further frame within 300 ms')
    ))

  test('between frames is not moved by comments', () =>
    ask(
      () => endless([CONTENT, CONTENT], COMMENT),
      { between_frames: '300ms' },
      (response) => expectTimeoutEvent(response, 'no further frame within 300 ms')
    ))

  test('of the whole request ends a stream that never does', () =>
    ask(
      () => endless([CONTENT], CONTENT),
      { total: '600ms', between_frames: '300ms' },
      (response) => expectTimeoutEvent(response, "within 600 ms of the request's start")
    ))

  test('of the whole request ends a whole answer that never does', async () => {
    await harness.reload({ sim: { deadlines: { total: '400ms' } } })
    const response = await harness.chat({ model: 'sim/fault-hang-mid-stream' })
    await expectTimeout(response, "within 400 ms of the request's start")
  })

  test('that passed has ended the upstream’s work', async () => {
    await harness.reload({ sim: { deadlines: { first_byte: '200ms', between_frames: '200ms' } } })
    harness.simulator.reset()
    await (await harness.chat({ model: 'sim/fault-hang-before-headers' })).text()
    await (await harness.chat({ model: 'sim/fault-hang-mid-stream', stream: true })).text()
    await until(() => harness.simulator.stats().open === 0, 1_000)
    expect(harness.simulator.stats().cancelled).toBe(2)
  })
})

describe('a head that was held long enough', () => {
  const server = { head_hold: '200ms', heartbeat: '1s' }
  let holding: Harness
  beforeAll(async () => {
    holding = await startHarness({ server, sim: { deadlines: { first_byte: '2s' } } })
  })
  afterAll(() => holding.stop())

  test.concurrent.each([
    ['has sent no head', 'sim/sim-1;ttft=1700', 'whole'],
    ['has sent no head', 'sim/fault-hang-before-headers', 'broken'],
    ['sends comments', 'sim/fault-comments-only', 'broken'],
    ['has sent a head alone', 'sim/fault-hang-after-head', 'broken'],
  ])('leaves while the upstream %s (%s), and heartbeats follow', async (_, model, end) => {
    const response = await holding.chat({ model, stream: true })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toStartWith('text/event-stream')
    expect(response.headers.get('x-tg-attempts')).toBe('1')
    expect(response.headers.get('x-tg-model')).toBe(model)
    const timing = /^gateway;dur=([\d.]+), upstream;dur=([\d.]+)$/.exec(
      response.headers.get('server-timing') ?? ''
    )
    // Holding is waiting for the upstream, and none of it the gateway's own time.
    expect(Number(timing?.[2])).toBeGreaterThanOrEqual(200)
    expect(Number(timing?.[1])).toBeLessThan(200)
    const { comments, errors, events, terminators } = await eventsOf(response)
    expect(comments.length).toBeGreaterThanOrEqual(2)
    expect(terminators).toBe(end === 'whole' ? 1 : 0)
    expect(errors.map(({ code }) => code)).toEqual(end === 'whole' ? [] : ['upstream_timeout'])
    if (end === 'broken') expect(events).toHaveLength(1)
    const row = await holding.rowOf(response)
    expect(row).toMatchObject({
      status: 200,
      outcome: end === 'whole' ? 'ok' : 'failed',
      errorCode: end === 'whole' ? null : 'upstream_timeout',
    })
    expect(row.attempts).toHaveLength(1)
    if (end === 'whole') expect(row.firstTokenMs).toBeGreaterThanOrEqual(1_700)
  })

  test('leaves for a refusal too, which then is an event', async () => {
    const response = await holding.chat({ model: 'sim/fault-error-429;ttft=700', stream: true })
    expect(response.status).toBe(200)
    const { errors, events } = await eventsOf(response)
    expect(errors.map(({ code }) => code)).toEqual(['rate_limit_exceeded'])
    expect(events).toHaveLength(1)
  })

  test('does not leave for an answer that is not streamed', async () => {
    const response = await holding.chat({ model: 'sim/fault-error-429;ttft=700' })
    expect(response.status).toBe(429)
  })

  test('can be left by its client, which cancels the upstream', async () => {
    holding.simulator.reset()
    const leaving = new AbortController()
    const response = await holding.chat(
      { model: 'sim/sim-1;ttft=60000', stream: true },
      { signal: leaving.signal }
    )
    leaving.abort()
    await until(() => holding.simulator.stats().cancelled === 1, 1_000)
    const row = await holding.rowOf(response)
    expect(row).toMatchObject({ status: 499, outcome: 'cancelled', firstTokenMs: null })
    expect(row.attempts).toMatchObject([{ outcome: 'cancelled' }])
  })
})

describe('frames', () => {
  test('that come in time keep a stream alive for longer than each deadline', () =>
    ask(
      () =>
        eventStream([
          CONTENT,
          'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
        ]),
      { between_frames: '1ms', first_byte: '5s' },
      async (response) => expect((await eventsOf(response)).errors).toEqual([])
    ))
})
