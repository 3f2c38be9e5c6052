import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { listFaults } from '../src/simulator/faults'
import { errorOf, eventsOf } from './answers'
import { startHarness, type Harness } from './harness'
import { eventStream, startUpstream } from './upstream'

let harness: Harness

// Short enough that a fault that hangs is met within a second. All others get a patient provider, since
// they share this process with each other.
const DEADLINES = { first_byte: '400ms', between_frames: '400ms', total: '20s' }

beforeAll(async () => {
  harness = await startHarness()
  await harness.reload({
    sim: { deadlines: DEADLINES },
    providers: { patient: provider(`${harness.simulator.url}/v1`) },
  })
})
afterAll(() => harness.stop())

/** A status with the code of its error body; or a stream: its errors' codes and its end marks. */
type Outcome =
  | { status: number; code?: string | null; says?: RegExp }
  | { stream: 'whole' }
  | { stream: 'broken'; code: string | null; says?: RegExp }

const WHOLE: Outcome = { status: 200 }
const STREAM: Outcome = { stream: 'whole' }

/** What a client sees of each fault: first of a whole answer, then of a streamed one. */
const OUTCOMES: Record<string, [Outcome, Outcome]> = {
  'error-400': both({ status: 400, code: 'invalid_value', says: /temperature/ }),
  'error-401': both({
    status: 502,
    code: 'upstream_unauthorized',
    says: /gateway's own credential/,
  }),
  'error-403': both({
    status: 502,
    code: 'upstream_unauthorized',
    says: /gateway's own credential/,
  }),
  'error-404': both({ status: 404, code: 'model_not_found', says: /does not exist/ }),
  'error-429': both({ status: 429, code: 'rate_limit_exceeded' }),
  'error-500': both({ status: 500, code: null }),
  'error-503': both({ status: 503, code: null }),
  'hang-before-headers': both({ status: 504, code: 'upstream_timeout', says: /400 ms/ }),
  // The head of a whole answer came: what is left is the deadline of the request, tested elsewhere.
  'hang-after-head': [
    { status: 504, code: 'upstream_timeout' },
    { status: 504, code: 'upstream_timeout', says: /sent nothing within 400 ms/ },
  ],
  'hang-mid-stream': [
    { status: 504, code: 'upstream_timeout' },
    { stream: 'broken', code: 'upstream_timeout', says: /no further frame within 400 ms/ },
  ],
  'comments-only': [
    { status: 504, code: 'upstream_timeout' },
    { status: 504, code: 'upstream_timeout', says: /sent nothing within 400 ms/ },
  ],
  'reset-before-headers': both({ status: 502, code: 'upstream_broken' }),
  'reset-mid-stream': [
    { status: 502, code: 'upstream_broken' },
    { stream: 'broken', code: 'upstream_broken' },
  ],
  'truncated-json': [
    { status: 502, code: 'upstream_malformed' },
    { stream: 'broken', code: 'upstream_broken', says: /before the answer was finished/ },
  ],
  'malformed-sse': [WHOLE, { stream: 'broken', code: 'upstream_malformed', says: /not JSON/ }],
  'no-done': [WHOLE, STREAM],
  'truncated-stream': [
    WHOLE,
    { stream: 'broken', code: 'upstream_broken', says: /before the answer was finished/ },
  ],
  'error-first-frame': both({ status: 502, code: 'server_error', says: /model failed/ }),
  'error-mid-stream': [WHOLE, { stream: 'broken', code: 'server_error', says: /model failed/ }],
  'no-usage': [WHOLE, STREAM],
  'choices-null-usage': [WHOLE, STREAM],
  'refuses-include-usage': [WHOLE, { status: 400, code: 'unknown_parameter' }],
  'slow-drip': [WHOLE, STREAM],
  'huge-frame': [WHOLE, { status: 502, code: 'upstream_too_large', says: /1048576/ }],
  'huge-answer': [WHOLE, STREAM],
  gzip: [WHOLE, STREAM],
  redirect: both({ status: 502, code: 'upstream_redirected', says: /never followed/ }),
  'html-error': both({ status: 502, code: 'upstream_refused', says: /502 Bad Gateway/ }),
  'html-200': both({ status: 502, code: 'upstream_malformed', says: /502 Bad Gateway/ }),
  'leading-whitespace': [WHOLE, STREAM],
  'empty-body': both({ status: 502, code: 'upstream_malformed', says: /empty body/ }),
  'set-cookie': [WHOLE, STREAM],
}

function both(outcome: Outcome): [Outcome, Outcome] {
  return [outcome, outcome]
}

async function expectOutcome(response: Response, wanted: Outcome): Promise<void> {
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  if ('status' in wanted) {
    expect(response.status).toBe(wanted.status)
    expect(response.headers.get('content-type')).toBe('application/json')
    if (wanted.status === 200) {
      expect(await response.json()).toMatchObject({ object: 'chat.completion' })
      return
    }
    const error = await errorOf(response)
    expect(error.code).toBe(wanted.code ?? null)
    if (wanted.says) expect(error.message).toMatch(wanted.says)
    // A page of HTML is told of, never passed on.
    expect(error.message).not.toContain('<html')
    return
  }
  expect(response.status).toBe(200)
  const { events, errors, terminators } = await eventsOf(response)
  if (wanted.stream === 'whole') {
    expect(errors).toEqual([])
    expect(events.some((event) => event.includes('"finish_reason":"stop"'))).toBe(true)
    expect(terminators).toBeLessThanOrEqual(1)
    return
  }
  expect(errors.map(({ code }) => code)).toEqual([wanted.code])
  if (wanted.says) expect(errors[0]?.message).toMatch(wanted.says)
  expect(events.at(-1)).toContain('"error"')
  expect(terminators).toBe(0)
  // Some of the answer had left, and all of it in whole frames.
  expect(events.length).toBeGreaterThan(1)
  for (const event of events) JSON.parse(event)
}

const EARLY_RESET: Outcome = { status: 502, code: 'upstream_broken' }

/** Faults that wait for ever meet short deadlines; a slow drip has little to say. */
function modelOf(name: string): string {
  if (/^(hang-|comments-only)/.test(name)) return `sim/fault-${name}`
  return `patient/fault-${name}${name === 'slow-drip' ? ';tokens=2' : ''}`
}

// A whole answer that stops behind its head meets the deadline of the request alone.
const STALLS_WHOLE = ['hang-after-head', 'hang-mid-stream', 'comments-only']

describe('every fault of an upstream', () => {
  test('has an outcome written down here', () => {
    expect(Object.keys(OUTCOMES).sort()).toEqual(
      listFaults()
        .map(({ model }) => model.replace('fault-', ''))
        .sort()
    )
  })

  test.concurrent.each(Object.entries(OUTCOMES).filter(([name]) => !STALLS_WHOLE.includes(name)))(
    '%s, whole',
    async (name, [wanted]) => {
      await expectOutcome(await harness.chat({ model: modelOf(name) }), wanted)
    },
    20_000
  )

  test.concurrent.each(Object.entries(OUTCOMES))(
    '%s, streamed',
    async (name, [, wanted]) => {
      const response = await harness.chat({ model: modelOf(name), stream: true })
      // A reset may overtake what was sent before it, and is then still met by a status.
      const isEarly = name === 'reset-mid-stream' && response.status !== 200
      await expectOutcome(response, isEarly ? EARLY_RESET : wanted)
    },
    20_000
  )

  test.each(STALLS_WHOLE)('%s, whole', async (name) => {
    const short = await startHarness({ sim: { deadlines: { ...DEADLINES, total: '500ms' } } })
    try {
      const wanted = OUTCOMES[name]?.[0]
      if (!wanted) throw new Error('no outcome')
      await expectOutcome(await short.chat({ model: `sim/fault-${name}` }), wanted)
    } finally {
      await short.stop()
    }
  })

  test('leaves no request open at the upstream', async () => {
    const open = () => harness.simulator.stats().open
    for (let tries = 0; open() > 0 && tries < 100; tries++) await Bun.sleep(10)
    expect(open()).toBe(0)
  })
})

describe('an upstream’s refusal', () => {
  test('keeps its own words, and its Retry-After', async () => {
    const response = await harness.chat({ model: 'sim/fault-error-429' })
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await errorOf(response)).toMatchObject({
      message: 'Rate limit reached.',
      code: 'rate_limit_exceeded',
    })
  })

  test('of the gateway’s own credential tells SDKs not to try again, and nothing of the credential', async () => {
    const upstream = startUpstream(() =>
      Response.json(
        { error: { message: 'Incorrect API key provided: sk-of-the-gateway.' } },
        { status: 401 }
      )
    )
    try {
      await harness.reload({ providers: { picky: provider(upstream.url) } })
      const response = await harness.chat({ model: 'picky/x' })
      expect(response.status).toBe(502)
      expect(response.headers.get('x-should-retry')).toBe('false')
      expect(await response.text()).not.toContain('sk-of-the-gateway')
    } finally {
      await upstream.stop()
    }
  })

  test.each<[unknown, RegExp]>([
    [{ error: 'model is loading' }, /model is loading/],
    [{ message: 'no such deployment' }, /no such deployment/],
    [{ detail: 'not found' }, /not found/],
    ['plain text', /plain text/],
    [{}, /./],
    [[1], /./],
    [{ error: { code: 17 } }, /./],
  ])('in another shape than OpenAI’s (%j) is put into it', async (body, says) => {
    const upstream = startUpstream(() => Response.json(body, { status: 422 }))
    try {
      await harness.reload({ providers: { odd: provider(upstream.url) } })
      const response = await harness.chat({ model: 'odd/x' })
      expect(response.status).toBe(422)
      expect((await errorOf(response)).message).toMatch(says)
    } finally {
      await upstream.stop()
    }
  })

  test('to connect is a 502', async () => {
    const closed = startUpstream(() => new Response())
    await closed.stop()
    await harness.reload({ providers: { closed: provider(closed.url) } })
    const response = await harness.chat({ model: 'closed/x', stream: true })
    expect(response.status).toBe(502)
    expect(await errorOf(response)).toMatchObject({
      code: 'upstream_unreachable',
      message: expect.stringContaining("'closed' can't be reached"),
    })
  })

  test('by a redirect is followed nowhere', async () => {
    await (await harness.chat({ model: 'sim/fault-redirect' })).text()
    await (await harness.chat({ model: 'sim/fault-redirect', stream: true })).text()
    expect(harness.simulator.stats().redirectReached).toBe(false)
  })
})

describe('a stream that goes wrong', () => {
  const content = 'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
  const finish = (index: number) =>
    `data: {"choices":[{"index":${index},"delta":{},"finish_reason":"stop"}]}\n\n`

  /** What a client of a stream with these frames sees. */
  async function streamOf(frames: string[], body: Record<string, unknown> = {}) {
    const upstream = startUpstream(() => eventStream(frames))
    try {
      await harness.reload({ providers: { raw: provider(upstream.url) } })
      return await eventsOf(await harness.chat({ model: 'raw/x', stream: true, ...body }))
    } finally {
      await upstream.stop()
    }
  }

  test('is not finished while one choice of several is not', async () => {
    const { errors, terminators } = await streamOf([content, finish(1)], { n: 2 })
    expect(errors.map(({ code }) => code)).toEqual(['upstream_broken'])
    expect(terminators).toBe(0)
    expect((await streamOf([content, finish(1), finish(0)], { n: 2 })).errors).toEqual([])
  })

  test('is not finished by an empty finish reason', async () => {
    const empty = 'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":""}]}\n\n'
    const { errors } = await streamOf([empty, empty])
    expect(errors.map(({ code }) => code)).toEqual(['upstream_broken'])
  })

  test.each(['data: [1]\n\n', 'data: "x"\n\n', 'data: null\n\n', 'data: {]\n\n', 'data\n\n'])(
    'by the frame %j becomes an error event, and what follows is not passed on',
    async (frame) => {
      const { events, errors, terminators } = await streamOf([
        content,
        frame,
        content,
        finish(0),
        'data: [DONE]\n\n',
      ])
      expect(errors.map(({ code }) => code)).toEqual(['upstream_malformed'])
      expect(events).toHaveLength(2)
      expect(terminators).toBe(0)
    }
  )

  test('by an error frame with a status of its own keeps its words', async () => {
    const error = '{"error":{"message":"Overloaded.","type":"x","param":null,"code":"overloaded"}}'
    const { events, terminators } = await streamOf([
      content,
      `data: ${error}\n\n`,
      'data: [DONE]\n\n',
    ])
    expect(events).toEqual([content.slice(6, -2), error])
    expect(terminators).toBe(0)
  })

  test('by an error frame in several lines is still one event', async () => {
    const { errors, events } = await streamOf([
      content,
      'data: {"error":\ndata: {"message":"a","type":null,\ndata: "param":null,"code":"b"}}\n\n',
    ])
    expect(errors).toHaveLength(1)
    expect(events).toHaveLength(2)
  })

  test('says nothing behind its end mark', async () => {
    const { events, errors } = await streamOf([
      content,
      finish(0),
      'data: [DONE]\n\ndata: [DONE]\n\n',
      'data: {"error":{"message":"late"}}\n\n',
    ])
    expect(events.at(-1)).toBe('[DONE]')
    expect(events).toHaveLength(3)
    expect(errors).toEqual([])
  })

  test('before its first frame is still a status', async () => {
    const upstream = startUpstream(() => eventStream(['data: {"choices":[]}\n\n', 'data: {x\n\n']))
    try {
      await harness.reload({ providers: { raw: provider(upstream.url) } })
      const response = await harness.chat({ model: 'raw/x', stream: true })
      expect(response.status).toBe(502)
      expect((await errorOf(response)).code).toBe('upstream_malformed')
    } finally {
      await upstream.stop()
    }
  })
})

function provider(url: string) {
  return { type: 'openai', base_url: url, api_key: 'none' }
}
