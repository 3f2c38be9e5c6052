import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { OpenAI } from 'openai'

import { startHarness, until } from '../harness'
import { createClient, type Floor, loadSdks, rejectionOf, startFloor } from './sdks'

const SDKS = await loadSdks()
const MESSAGES: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Hello?' }]

type Visit = { status: number; retryCount: string | null; retryAfter: string | null }

let floor: Floor
beforeAll(async () => {
  floor = await startFloor()
})
afterAll(() => floor.stop())

/** A fetch that writes down what reached the gateway and how it was answered. */
function createRecordingFetch() {
  const visits: Visit[] = []
  async function recordingFetch(url: string | URL | Request, init?: RequestInit) {
    const retryCount = new Headers(init?.headers).get('x-stainless-retry-count')
    const response = await fetch(url, init)
    const retryAfter = response.headers.get('retry-after')
    visits.push({ status: response.status, retryCount, retryAfter })
    return response
  }
  return { visits, fetch: recordingFetch }
}

describe.each(SDKS)('retries by $name', (sdk) => {
  function askWith(recording: ReturnType<typeof createRecordingFetch>, maxRetries: number) {
    return createClient(sdk, floor, { fetch: recording.fetch, maxRetries }).chat.completions
  }

  test.concurrent.each([
    ['the provider refuses the gateway’s key', 'sim/fault-error-401', 502],
    ['the provider redirects', 'sim/fault-redirect', 502],
    ['a parameter is wrong', 'sim/fault-error-400', 400],
    ['the model is unknown', 'nowhere/model', 404],
  ])('none when %s, since none would help', async (_, model, status) => {
    const recording = createRecordingFetch()
    const asked = askWith(recording, 2).create({ model, messages: MESSAGES })
    expect(await rejectionOf(asked)).toMatchObject({ status })
    expect(recording.visits.map((visit) => visit.status)).toEqual([status])
  })

  test.concurrent('none once a stream has begun', async () => {
    const recording = createRecordingFetch()
    const request = { model: 'sim/fault-truncated-stream', messages: MESSAGES }
    const stream = await askWith(recording, 2).create({ ...request, stream: true })
    await rejectionOf(Array.fromAsync(stream))
    expect(recording.visits.map(({ status }) => status)).toEqual([200])
  })

  test.concurrent('one that is allowed when the provider fails', async () => {
    const recording = createRecordingFetch()
    const request = { model: 'sim/fault-error-500', messages: MESSAGES }
    const error = await rejectionOf(askWith(recording, 1).create(request))
    expect(error).toBeInstanceOf(sdk.openai.InternalServerError)
    expect(recording.visits).toEqual([
      { status: 500, retryCount: '0', retryAfter: null },
      { status: 500, retryCount: '1', retryAfter: null },
    ])
  })

  test.concurrent('a full gateway says when to come back, and then answers', async () => {
    const full = await startHarness({ server: { max_in_flight: 1 } })
    try {
      const leaving = new AbortController()
      const endless = { model: 'sim/sim-1;tps=50;tokens=100000', stream: true }
      const occupant = await full.chat(endless, { signal: leaving.signal })
      expect(occupant.status).toBe(200)

      const askedAtMs: number[] = []
      const answeredAtMs: number[] = []
      const recording = createRecordingFetch()
      const client = createClient(
        sdk,
        { baseUrl: `${full.gateway.url}/v1`, key: 'none' },
        {
          maxRetries: 1,
          async fetch(url, init) {
            askedAtMs.push(performance.now())
            const response = await recording.fetch(url, init)
            leaving.abort()
            await until(() => full.simulator.stats().open === 0)
            answeredAtMs.push(performance.now())
            return response
          },
        }
      )
      const request = { model: 'sim/sim-1', messages: MESSAGES }
      const completion = await client.chat.completions.create(request)
      expect(completion.choices[0]?.message.content).toContain('Hello?')
      expect(recording.visits).toEqual([
        { status: 503, retryCount: '0', retryAfter: '1' },
        { status: 200, retryCount: '1', retryAfter: null },
      ])
      // Only "not before" holds; left to itself the SDK waits for half a second at most.
      const [, askedAgainAtMs = 0] = askedAtMs
      expect(askedAgainAtMs - (answeredAtMs[0] ?? Infinity)).toBeGreaterThanOrEqual(990)
    } finally {
      await full.stop()
    }
  })
})
