import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { startHarness, until, type Harness } from './harness'
import { startUpstream, type Upstream } from './upstream'

// Whole answers beyond 4 MB: up to there a broken one is asked for elsewhere, behind it the head has left.

const MB = 1024 * 1024
const PIECE_BYTES = 256 * 1024

let harness: Harness
let large: Upstream
let small: Upstream
/** How the large upstream's answer comes: its length, and where it breaks off or ends too early. */
let shape: { bytes: number; breaksAt?: number; endsAt?: number } = { bytes: 0 }
/** A break would overtake what was sent before it: it waits until the client has the head. */
let hasHead = Promise.withResolvers<void>()

const TAIL = '"}],"model":"m","usage":{"prompt_tokens":7,"total_tokens":7}}\n'
const HEAD = '{"object":"list","data":[{"object":"embedding","index":0,"embedding":"'

/** Embeddings of so many bytes in all. */
const textOf = (bytes: number) => HEAD + 'A'.repeat(bytes - HEAD.length - TAIL.length) + TAIL

function answerInPieces(): Response {
  const { bytes, breaksAt = Infinity, endsAt = Infinity } = shape
  const whole = new TextEncoder().encode(textOf(bytes))
  let at = 0
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (at >= breaksAt) {
        if (at > 4 * MB) await hasHead.promise
        return controller.error(new Error('broken on purpose'))
      }
      if (at >= Math.min(bytes, endsAt)) return controller.close()
      const next = Math.min(at + PIECE_BYTES, bytes, endsAt)
      controller.enqueue(whole.subarray(at, next))
      at = next
      await Bun.sleep(0)
    },
  })
  return new Response(body, { headers: { 'content-type': 'application/json' } })
}

beforeAll(async () => {
  large = startUpstream(answerInPieces)
  small = startUpstream(() => new Response(textOf(1_000)))
  const provider = (url: string) => ({ type: 'openai', base_url: url, api_key: 'none' })
  harness = await startHarness({
    providers: { large: provider(large.url), small: provider(small.url) },
    models: { '*/*': { price: { input: 1 } } },
    routes: { both: { targets: ['large/m', 'small/m'] } },
  })
})
afterAll(async () => {
  await harness.stop()
  await Promise.all([large.stop(), small.stop()])
})

const embed = (model: string) =>
  fetch(`${harness.gateway.url}/v1/embeddings`, {
    method: 'POST',
    body: JSON.stringify({ model, input: 'x' }),
  })

describe('an answer beyond 4 MB', () => {
  test('comes byte for byte, and its cost is what its end says', async () => {
    shape = { bytes: 9 * MB + 3 }
    const response = await embed('large/m')
    expect(response.headers.get('content-type')).toBe('application/json')
    const text = await response.text()
    // Compared as a whole it would be printed as a whole.
    expect(text === textOf(shape.bytes)).toBe(true)
    const row = await harness.rowOf(response)
    expect(row).toMatchObject({ status: 200, usageProvenance: 'provider', inputTokens: 7 })
    expect(row.costNanoUsd).toBe(7_000)
    expect(row.answerBytes).toBe(shape.bytes)
  })

  test.each([
    ['breaks off', { bytes: 9 * MB, breaksAt: 6 * MB }],
    ['ends too early', { bytes: 9 * MB, endsAt: 6 * MB }],
  ])('that %s behind its head breaks off for the client too', async (_, broken) => {
    shape = broken
    hasHead = Promise.withResolvers()
    const response = await embed('both')
    hasHead.resolve()
    expect(response.headers.get('x-tg-model')).toBe('large/m')
    expect(await response.text().catch(() => 'broken')).toBe('broken')
    const row = await harness.rowOf(response)
    expect(row).toMatchObject({ outcome: 'failed', errorCode: 'upstream_broken' })
  })

  test.each([
    ['breaks off', { bytes: 9 * MB, breaksAt: 3 * MB }],
    ['is large, and breaks off before that', { bytes: 3 * MB, breaksAt: 2 * MB }],
  ])('that %s before 4 MB is asked for elsewhere', async (_, broken) => {
    shape = broken
    const response = await embed('both')
    expect(response.headers.get('x-tg-model')).toBe('small/m')
    expect((await response.text()) === textOf(1_000)).toBe(true)
  })

  test('lets go of its upstream when the client leaves', async () => {
    shape = { bytes: 64 * MB }
    const leaving = new AbortController()
    const response = await fetch(`${harness.gateway.url}/v1/embeddings`, {
      method: 'POST',
      body: JSON.stringify({ model: 'large/m', input: 'x' }),
      signal: leaving.signal,
    })
    leaving.abort()
    await until(async () => (await harness.rowOf(response)).outcome === 'cancelled')
  })
})
