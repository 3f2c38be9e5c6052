import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect, constants, type ClientHttp2Session } from 'node:http2'

import { takeApart } from './answers'
import { startHarness, until, type Harness } from './harness'
import { openH2Stream } from './h2-client'

let harness: Harness
let session: ClientHttp2Session

beforeAll(async () => {
  harness = await startHarness({ sim: { model_list: false }, server: { max_body: '4KB' } })
  // Prior knowledge: there is nothing to negotiate by in clear text.
  session = connect(harness.gateway.url)
})
afterAll(async () => {
  session.close()
  await harness.stop()
})

const body = (more: Record<string, unknown> = {}) =>
  JSON.stringify({ model: 'sim/sim-1', messages: [{ role: 'user', content: 'x' }], ...more })

describe('HTTP/2 in clear text', () => {
  test('carries a whole answer', async () => {
    const { headers, text } = openH2Stream(session, body())
    expect((await headers)[':status']).toBe(200)
    expect((await headers)['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(JSON.parse(await text)).toMatchObject({ object: 'chat.completion' })
  })

  test('carries errors as they are', async () => {
    const { headers, text } = openH2Stream(session, '{"model":"nobody/x"}')
    expect((await headers)[':status']).toBe(404)
    expect(JSON.parse(await text)).toMatchObject({ error: { code: 'model_not_found' } })
  })

  test('refuses what is too large', async () => {
    const { headers, text } = openH2Stream(session, body({ filler: 'x'.repeat(5_000) }))
    expect((await headers)[':status']).toBe(413)
    expect(JSON.parse(await text)).toMatchObject({ error: { code: 'request_too_large' } })
  })

  test('carries many streams at once over one connection', async () => {
    const streams = Array.from({ length: 20 }, () =>
      openH2Stream(session, body({ stream: true, model: 'sim/sim-1;tps=400;tokens=40' }))
    )
    for (const { headers, text } of streams) {
      expect((await headers)[':status']).toBe(200)
      const { errors, events, terminators } = takeApart(await text)
      expect(errors).toEqual([])
      expect(terminators).toBe(1)
      expect(events.length).toBeGreaterThan(40)
    }
  })

  test('carries a failure in the middle of a stream as an event', async () => {
    const { text } = openH2Stream(
      session,
      body({ model: 'sim/fault-truncated-stream', stream: true })
    )
    const { errors, terminators } = takeApart(await text)
    expect(errors.map(({ code }) => code)).toEqual(['upstream_broken'])
    expect(terminators).toBe(0)
  })

  test.each([
    ['before the head', 'sim/sim-1;ttft=60000', false],
    ['in the middle of a stream', 'sim/sim-1;tps=50;tokens=5000', true],
  ])('cancels the upstream when a client leaves its stream %s', async (_, model, stream) => {
    harness.simulator.reset()
    const name = `h2-${stream}`
    const opened = openH2Stream(session, body({ model, stream }), { 'x-request-id': name })
    await until(() => harness.simulator.stats().open === 1)
    if (stream) await opened.firstBytes
    opened.stream.close(constants.NGHTTP2_CANCEL)
    await until(() => harness.simulator.stats().cancelled === 1, 1_000)
    expect(await harness.row(({ clientRequestId }) => clientRequestId === name)).toMatchObject({
      status: 499,
      outcome: 'cancelled',
    })
    // The connection lives on.
    expect((await openH2Stream(session, body()).headers)[':status']).toBe(200)
  })

  test('cancels the upstream when the whole connection goes', async () => {
    harness.simulator.reset()
    const other = connect(harness.gateway.url)
    other.on('error', () => {})
    const opened = openH2Stream(other, body({ model: 'sim/sim-1;ttft=60000' }))
    opened.headers.catch(() => {})
    opened.text.catch(() => {})
    await until(() => harness.simulator.stats().open === 1)
    other.destroy()
    await until(() => harness.simulator.stats().cancelled === 1, 1_000)
  })
})
