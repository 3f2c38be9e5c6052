import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'

import { startHarness, until, type Harness } from './harness'
import { connectRaw, rawChat } from './raw-client'

let harness: Harness

beforeAll(async () => {
  harness = await startHarness({ server: { head_hold: '300ms', heartbeat: '1s' } })
})
afterAll(() => harness.stop())
afterEach(() => harness.simulator.reset())

const stats = () => harness.simulator.stats()

/** The upstream has the request. */
const underWay = () => until(() => stats().open === 1)

/** The upstream notices within a second that its client has left. */
async function expectCancelled(): Promise<void> {
  await until(() => stats().cancelled === 1 && stats().open === 0, 1_000)
}

/** The row of the request that its client called `name`. */
const rowNamed = (name: string) => harness.row(({ clientRequestId }) => clientRequestId === name)

/** A request whose client can leave. */
function start(name: string, body: Record<string, unknown>) {
  const leaving = new AbortController()
  const answer = harness.chat(body, {
    signal: leaving.signal,
    headers: { 'x-request-id': name },
  })
  // It fails once its client has left; whoever awaits it sees that too.
  answer.catch(() => {})
  return { answer, leave: () => leaving.abort() }
}

describe('a client that leaves cancels the upstream', () => {
  test.each([false, true])('before the headers, streamed: %p', async (stream) => {
    const name = `before-headers-${stream}`
    const { leave } = start(name, { model: 'sim/sim-1;ttft=60000', stream })
    await underWay()
    leave()
    await expectCancelled()
    expect(await rowNamed(name)).toMatchObject({
      status: 499,
      outcome: 'cancelled',
      errorCode: 'client_closed',
      stream,
      usageProvenance: null,
      attempts: [{ number: 1, outcome: 'cancelled', errorCode: 'client_closed' }],
    })
  })

  test('while the head is held', async () => {
    const name = 'head-held'
    const { leave } = start(name, { model: 'sim/fault-comments-only', stream: true })
    await underWay()
    leave()
    await expectCancelled()
    expect(await rowNamed(name)).toMatchObject({ status: 499, outcome: 'cancelled' })
  })

  test('between the head and the first token', async () => {
    const name = 'after-head'
    const { answer, leave } = start(name, { model: 'sim/fault-comments-only', stream: true })
    expect((await answer).status).toBe(200)
    leave()
    await expectCancelled()
    expect(await rowNamed(name)).toMatchObject({
      status: 499,
      outcome: 'cancelled',
      firstTokenMs: null,
    })
  })

  test('in the middle of a stream, and what was used is not lost', async () => {
    const name = 'mid-stream'
    const { answer, leave } = start(name, { model: 'sim/sim-1;tps=50;tokens=5000', stream: true })
    const reader = (await answer).body?.getReader()
    await reader?.read()
    leave()
    await expectCancelled()
    const row = await rowNamed(name)
    expect(row).toMatchObject({
      status: 499,
      outcome: 'cancelled',
      usageProvenance: 'estimated',
      attempts: [{ status: 200, outcome: 'cancelled' }],
    })
    expect(row.firstTokenMs).toBeGreaterThan(0)
    expect(row.answerBytes).toBeGreaterThan(0)
    expect(row.inputTokens).toBeGreaterThan(0)
    expect(row.outputTokens).toBeGreaterThan(0)
  })

  test('while a whole answer is being read from it', async () => {
    const name = 'whole-half-read'
    const { leave } = start(name, { model: 'sim/fault-hang-mid-stream' })
    await underWay()
    leave()
    await expectCancelled()
    expect(await rowNamed(name)).toMatchObject({ status: 499, outcome: 'cancelled' })
  })

  test.each([false, true])('when its connection is cut hard, streamed: %p', async (stream) => {
    const name = `cut-${stream}`
    const socket = await connectRaw(harness.gateway.port)
    const body = JSON.stringify({
      model: stream ? 'sim/sim-1;tps=50;tokens=5000' : 'sim/sim-1;ttft=60000',
      stream,
      messages: [{ role: 'user', content: 'x' }],
    })
    socket.write(rawChat(body, { 'x-request-id': name }))
    if (stream) await new Promise<void>((resolve) => socket.once('data', () => resolve()))
    await underWay()
    socket.resetAndDestroy()
    await expectCancelled()
    expect(await rowNamed(name)).toMatchObject({ status: 499, outcome: 'cancelled' })
  })
})

describe('a client that leaves', () => {
  test.each([
    ['declared', rawChat('{"model":"sim/sim-1", "messages":', { 'content-length': '500' })],
    [
      'chunked',
      'POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"mod\r\n',
    ],
  ])('in the middle of its upload (%s) asked nobody, and is written down', async (kind, text) => {
    const single = await startHarness({ server: { max_in_flight: 1 } })
    const name = `upload-${kind}`
    const socket = await connectRaw(single.gateway.port)
    socket.write(text.replace('host:', `x-request-id: ${name}\r\nhost:`))
    // The upload is under way once it takes the only place.
    await until(async () => (await single.chat()).status === 503)
    const before = single.simulator.stats().requests
    socket.destroy()
    expect(await single.row(({ clientRequestId }) => clientRequestId === name)).toMatchObject({
      status: 499,
      outcome: 'cancelled',
      errorCode: 'client_closed',
      attempts: [],
      answerBytes: 0,
    })
    expect(single.simulator.stats().requests).toBe(before)
    await single.stop()
  })

  test('makes room: nothing is held for it any more', async () => {
    const small = await startHarness({ server: { max_in_flight: 1 } })
    const leaving = new AbortController()
    const left = small.chat(
      { model: 'sim/sim-1;tps=50;tokens=5000', stream: true },
      { signal: leaving.signal }
    )
    await (await left).body?.getReader().read()
    expect((await small.chat()).status).toBe(503)
    leaving.abort()
    expect(await until(async () => (await small.chat()).status === 200, 1_000)).toBe(true)
    await small.stop()
  })

  test('many at once leave nothing open upstream', async () => {
    const clients = Array.from({ length: 60 }, (_, index) =>
      start(`many-${index}`, {
        model: `sim/sim-1;ttft=${index % 3 === 0 ? 60_000 : 5};tps=100;tokens=1000`,
        stream: index % 2 === 0,
      })
    )
    await until(() => stats().open === 60)
    for (const { leave } of clients) leave()
    await until(() => stats().open === 0, 2_000)
    expect(stats().cancelled).toBe(60)
  })
})
