import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { z } from 'zod'

import { errorOf } from './answers'
import { startHarness, until, type Harness } from './harness'
import { startUpstream, type Upstream } from './upstream'

let harness: Harness
let upstream: Upstream
let answer: () => Response = () => new Response('{}')

beforeAll(async () => {
  upstream = startUpstream(() => answer())
  harness = await startHarness({ providers: { raw: rawProvider() } })
})
afterAll(async () => {
  await harness.stop()
  await upstream.stop()
})

function rawProvider() {
  return { type: 'openai', base_url: upstream.url, api_key: 'none' }
}

/** Of a stream that broke, what came before is billed all the same. */
const ESTIMATED = { outcome: 'failed', usageProvenance: 'estimated' }

describe('the row of a request', () => {
  test.each([false, true])(
    'says all there is to say of an answer, streamed: %p',
    async (stream) => {
      const response = await harness.chat(
        { model: 'sim/sim-1;ttft=30', stream },
        { headers: { 'x-request-id': "the-client's own" } }
      )
      const text = await response.text()
      const row = await harness.rowOf(response)
      expect(row).toMatchObject({
        api: 'openai-chat',
        operation: 'generate',
        requestedModel: 'sim/sim-1;ttft=30',
        provider: 'sim',
        model: 'sim/sim-1;ttft=30',
        clientRequestId: "the-client's own",
        keyId: null,
        status: 200,
        outcome: 'ok',
        errorCode: null,
        errorMessage: null,
        stream,
        inputTokens: 12,
        outputTokens: 21,
        cacheReadTokens: 0,
        cacheWriteTokens: null,
        reasoningTokens: 0,
        audioInputTokens: 0,
        audioOutputTokens: 0,
        usageProvenance: 'provider',
        finishReasons: ['stop'],
        answerBytes: Buffer.byteLength(text),
        count: 1,
      })
      expect(row.attempts).toMatchObject([
        {
          number: 1,
          provider: 'sim',
          model: 'sim-1;ttft=30',
          status: 200,
          outcome: 'ok',
          upstreamRequestId: expect.stringMatching(/^req_sim_/),
        },
      ])
      const [attempt] = row.attempts ?? []
      const { totalMs, gatewayMs, firstTokenMs, startedAtMs, endedAtMs } = row
      if (!attempt || totalMs === null || gatewayMs === null || endedAtMs === null)
        throw new Error('a time is missing')
      expect(endedAtMs).toBeGreaterThanOrEqual(startedAtMs + 29)
      expect(attempt.startedAfterMs).toBeGreaterThanOrEqual(0)
      expect(attempt.headMs).toBeLessThanOrEqual(attempt.durationMs)
      expect(attempt.durationMs).toBeGreaterThanOrEqual(29)
      expect(attempt.startedAfterMs + attempt.durationMs).toBeLessThanOrEqual(totalMs)
      expect(gatewayMs).toBeGreaterThan(0)
      expect(gatewayMs + 29).toBeLessThanOrEqual(totalMs)
      if (!stream) expect(firstTokenMs).toBeNull()
      else {
        expect(firstTokenMs).toBeGreaterThanOrEqual(29)
        expect(firstTokenMs).toBeLessThanOrEqual(totalMs)
      }
    }
  )

  test.each([false, true])(
    'estimates usage that is missing, and says so, streamed: %p',
    async (stream) => {
      const response = await harness.chat({ model: 'sim/fault-no-usage', stream })
      await response.text()
      expect(await harness.rowOf(response)).toMatchObject({
        outcome: 'ok',
        usageProvenance: 'estimated',
        // Six tokens of words, and what a turn takes beside them.
        inputTokens: 10,
        outputTokens: expect.any(Number),
        costNanoUsd: null,
        costProvenance: 'unknown',
      })
    }
  )

  test('takes the usage frame of a host that has no choices in it', async () => {
    const response = await harness.chat({ model: 'sim/fault-choices-null-usage', stream: true })
    expect(await response.text()).not.toContain('"usage":{')
    expect(await harness.rowOf(response)).toMatchObject({
      usageProvenance: 'provider',
      inputTokens: 12,
    })
  })

  test('tells kinds of tokens apart, by the names that hosts have for them', async () => {
    answer = () =>
      Response.json({
        choices: [
          { index: 0, finish_reason: 'length' },
          { index: 1, finish_reason: 'eos' },
        ],
        usage: {
          prompt_tokens: 100,
          completion_tokens: 50,
          prompt_cache_hit_tokens: 60,
          prompt_tokens_details: { audio_tokens: 4, cache_write_tokens: 7 },
          completion_tokens_details: { reasoning_tokens: 30, audio_tokens: 5 },
        },
      })
    const row = await harness.rowOf(await harness.chat({ model: 'raw/x', n: 2 }))
    expect(row).toMatchObject({
      inputTokens: 100,
      outputTokens: 50,
      cacheReadTokens: 60,
      cacheWriteTokens: 7,
      reasoningTokens: 30,
      audioInputTokens: 4,
      audioOutputTokens: 5,
      finishReasons: ['length', 'eos'],
    })
  })

  test('of an embedding knows its tokens and no finish reason', async () => {
    const response = await fetch(`${harness.gateway.url}/v1/embeddings`, {
      method: 'POST',
      body: '{"model":"sim/sim-embed-1","input":["one","two"]}',
    })
    expect(response.status).toBe(200)
    const row = await harness.rowOf(response)
    expect(row).toMatchObject({
      api: 'openai-embeddings',
      operation: 'embed',
      outputTokens: null,
      usageProvenance: 'provider',
      finishReasons: [],
    })
    expect(row.inputTokens).toBeGreaterThan(0)
  })

  test.each<[string, boolean, Record<string, unknown>]>([
    ['error-429', false, { status: 429, outcome: 'failed', errorCode: 'upstream_refused' }],
    ['error-401', false, { status: 502, outcome: 'failed', errorCode: 'upstream_unauthorized' }],
    ['html-error', true, { status: 502, outcome: 'failed', errorCode: 'upstream_refused' }],
    ['reset-mid-stream', true, { status: 200, ...ESTIMATED, errorCode: 'upstream_broken' }],
    ['error-mid-stream', true, { status: 200, ...ESTIMATED, errorCode: 'upstream_refused' }],
    ['truncated-json', false, { status: 502, outcome: 'failed', errorCode: 'upstream_malformed' }],
  ])('of a failure (%s, streamed: %p) says what failed', async (fault, stream, wanted) => {
    const response = await harness.chat({ model: `sim/fault-${fault}`, stream })
    await response.text()
    const row = await harness.rowOf(response)
    expect(row).toMatchObject({
      usageProvenance: null,
      outcome: 'failed',
      provider: 'sim',
      ...wanted,
    })
    expect(row.errorMessage).not.toBeNull()
    expect(row.attempts?.at(-1)).toMatchObject({
      outcome: 'failed',
      errorCode: wanted['errorCode'],
    })
  })

  test('keeps what the upstream said of the gateway’s credential from the caller, not from the log', async () => {
    answer = () =>
      Response.json(
        { error: { message: 'Key sk-abcdefghijklmnopqrstuvwxyz has no credit.' } },
        { status: 403 }
      )
    const response = await harness.chat({ model: 'raw/x' })
    expect(await response.text()).not.toContain('credit')
    const { errorMessage } = await harness.rowOf(response)
    expect(errorMessage).toContain('has no credit')
    expect(errorMessage).not.toContain('sk-abcdefghijklmnopqrstuvwxyz')
  })

  test.each<[string, RequestInit & { path?: string }, Record<string, unknown>]>([
    ['bad JSON', { body: '{' }, { status: 400, errorCode: 'invalid_json', requestedModel: null }],
    [
      'an unknown model',
      { body: '{"model":"nobody/x"}' },
      { status: 404, errorCode: 'model_not_found', requestedModel: 'nobody/x', provider: null },
    ],
    ['an unknown path', { path: '/v1/nothing' }, { status: 404, errorCode: 'route_not_found' }],
    ['a wrong method', { method: 'GET' }, { status: 405, errorCode: 'method_not_allowed' }],
    [
      'another origin',
      { body: '{}', headers: { origin: 'https://a.example' } },
      { status: 403, errorCode: 'origin_not_allowed' },
    ],
  ])('of a refusal (%s) is there too', async (_, { path, ...init }, wanted) => {
    const url = harness.gateway.url + (path ?? '/v1/chat/completions')
    const response = await fetch(url, { method: 'POST', ...init })
    expect(await harness.rowOf(response)).toMatchObject({
      outcome: 'refused',
      attempts: [],
      usageProvenance: null,
      ...wanted,
    })
  })

  test('is one for each of many at once, and the journal is moved to its end', async () => {
    const ids = new Set<string | null>()
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const response = await harness.chat({ stream: index % 2 === 0, n: (index % 3) + 1 })
        await response.text()
        ids.add(response.headers.get('x-request-id'))
      })
    )
    const logged = await until(() => {
      const rows = harness.rows().filter(({ id }) => ids.has(id))
      return rows.length >= 100 && rows
    })
    expect(logged).toHaveLength(100)
    expect(logged.every(({ outcome }) => outcome === 'ok')).toBe(true)
  })
})

describe('bodies', () => {
  const secret = 'sk-proj-abcdefghijklmnopqrstuvwxyz123456'

  async function bodiesAfter(server: Harness, body: Record<string, unknown>, token?: string) {
    const response = await server.chat(body, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    })
    const text = await response.text()
    const row = await server.rowOf(response)
    return { text, status: response.status, bodies: server.bodiesOf(row.id) }
  }

  test('are not kept unless asked for', async () => {
    expect((await bodiesAfter(harness, {})).bodies).toBeUndefined()
  })

  test('are kept whole, capped and without secrets where asked for', async () => {
    const keeping = await startHarness({ log: { bodies: 'full', max_body: '2KB' } })
    const whole = await bodiesAfter(keeping, { user: secret })
    expect(whole.bodies).toMatchObject({
      answer: whole.text,
      requestTruncated: false,
      answerTruncated: false,
    })
    expect(whole.bodies?.request).toContain('What is a tollgate?')
    expect(whole.bodies?.request).not.toContain(secret)

    const streamed = await bodiesAfter(keeping, { stream: true, filler: 'ü'.repeat(5_000) })
    expect(streamed.bodies).toMatchObject({ requestTruncated: true, answerTruncated: true })
    expect(streamed.bodies?.request.length).toBeLessThanOrEqual(2_000)
    expect(streamed.bodies?.request).not.toContain('\uFFFD')
    expect(streamed.text).toStartWith(streamed.bodies?.answer ?? 'nothing')
    expect(streamed.bodies?.answer.length).toBeGreaterThan(1_900)

    const failed = await bodiesAfter(keeping, { model: 'sim/fault-error-400' })
    expect(failed.bodies?.request).toContain('fault-error-400')
    await keeping.stop()
  })

  test('of a key are kept or not as the key says', async () => {
    for (const bodies of ['off', 'full'] as const) {
      const other = await startHarness({ log: { bodies } })
      const on = other.makeKey({ bodies: 'full' })
      const off = other.makeKey({ bodies: 'off' })
      await until(async () => {
        const answers = [on, off].map(({ token }) =>
          other.chat({}, { headers: { authorization: `Bearer ${token}` } })
        )
        return (await Promise.all(answers)).every(({ ok }) => ok)
      })
      expect((await bodiesAfter(other, {}, on.token)).bodies).toBeDefined()
      expect((await bodiesAfter(other, {}, off.token)).bodies).toBeUndefined()
      expect((await bodiesAfter(other, {})).bodies !== undefined).toBe(bodies === 'full')
      await other.stop()
    }
  })
})

describe('GET /v1/requests/{id}', () => {
  const viewSchema = z.looseObject({ id: z.string(), key: z.string().nullable() })

  test('shows a key its own requests, as soon as they have ended, and no others', async () => {
    const keyed = await startHarness({ keys: { required: true } })
    const [mine, other] = [keyed.makeKey({ name: 'mine' }), keyed.makeKey({ name: 'other' })]
    const as = ({ token }: { token: string }) => ({ headers: { authorization: `Bearer ${token}` } })
    await until(async () => (await keyed.chat({}, as(other))).ok)
    const response = await keyed.chat({}, as(mine))
    await response.text()
    const id = response.headers.get('x-request-id') ?? ''
    const show = (init: RequestInit, wanted = id) =>
      fetch(`${keyed.gateway.url}/v1/requests/${wanted}`, init)

    const shown = await show(as(mine))
    expect(shown.status).toBe(200)
    expect(viewSchema.parse(await shown.json())).toMatchObject({
      id,
      key: 'mine',
      status: 200,
      outcome: 'ok',
      model: 'sim/sim-1',
      cost_nano_usd: null,
      input_tokens: 12,
      usage_provenance: 'provider',
      finish_reasons: ['stop'],
      attempts: [{ number: 1, provider: 'sim', outcome: 'ok', possibly_billed_twice: false }],
    })

    // Another key's is as unknown as none at all, word for word.
    const foreign = await show(as(other))
    expect(foreign.status).toBe(404)
    const { message, code } = await errorOf(foreign)
    expect(code).toBe('request_not_found')
    const none = await errorOf(await show(as(mine), '0'.repeat(id.length)))
    expect(none.message.replace('0'.repeat(id.length), id)).toBe(message)
    expect((await show({})).status).toBe(401)
    await keyed.stop()
  })
})

describe('a flood of refusals', () => {
  test('is counted beyond its rate, and none is forgotten', async () => {
    const flooded = await startHarness({ log: { refused_rows_per_second: 2 } })
    const refuse = () => flooded.chat({ model: 'nobody/x' }).then((response) => response.text())
    await Promise.all(Array.from({ length: 200 }, refuse))
    // Counted ones are written down with the end of their window, or of the process.
    await flooded.drain()
    const refusals = flooded.rows().filter(({ errorCode }) => errorCode === 'model_not_found')
    expect(refusals.reduce((sum, { count }) => sum + count, 0)).toBe(200)
    expect(refusals.length).toBeLessThanOrEqual(10)
    expect(refusals.at(-1)).toMatchObject({ status: 404, outcome: 'refused' })
    await flooded.stop()
  })
})
