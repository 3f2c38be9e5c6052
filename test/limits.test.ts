import { afterEach, describe, expect, test } from 'bun:test'

import { errorOf } from './answers'
import { startHarness, until, type Harness, type HarnessOptions } from './harness'
import { connectRaw, rawChat } from './raw-client'
import { startSocketUpstream } from './upstream'

const open: Harness[] = []

async function start(options: HarnessOptions): Promise<Harness> {
  const harness = await startHarness(options)
  open.push(harness)
  return harness
}

afterEach(async () => {
  for (const harness of open.splice(0)) await harness.stop()
})

async function expectOverloaded(response: Response, says: RegExp) {
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toBe('1')
  const error = await errorOf(response)
  expect(error).toMatchObject({ code: 'overloaded', type: 'server_error' })
  expect(error.message).toMatch(says)
}

describe('overload', () => {
  test('by requests under way is refused early, and ends with them', async () => {
    const harness = await start({ server: { max_in_flight: 2 } })
    const first = await harness.chat({ model: 'sim/sim-1;tps=20;tokens=20', stream: true })
    const second = harness.chat({ model: 'sim/sim-1;ttft=700' })
    await until(() => harness.simulator.stats().open === 2)
    await expectOverloaded(await harness.chat(), /too many requests are under way/)
    await Promise.all([first.text(), second.then((response) => response.text())])
    expect((await harness.chat()).status).toBe(200)
  })

  test('by bodies held is refused before more of them is', async () => {
    const harness = await start({ server: { max_body: '100KB', max_bodies: '100KB' } })
    const filler = 'x'.repeat(60_000)
    const first = harness.chat({ model: 'sim/sim-1;ttft=700', filler })
    await until(() => harness.simulator.stats().lastRequest?.method === 'POST')
    await expectOverloaded(await harness.chat({ filler }), /bodies/)
    const chunked = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < 60; at++) controller.enqueue(Buffer.from(filler.slice(0, 1_000)))
        controller.close()
      },
    })
    await expectOverloaded(await harness.chat({}, { body: chunked }), /bodies/)
    // A small one still has room.
    expect((await harness.chat()).status).toBe(200)
    expect((await first).status).toBe(200)
    expect((await harness.chat({ filler })).status).toBe(200)
  })

  test('gives back what refused, failed and broken requests held', async () => {
    const harness = await start({
      server: { max_in_flight: 1, max_body: '10KB', max_bodies: '10KB' },
    })
    const filler = 'x'.repeat(8_000)
    for (let round = 0; round < 3; round++) {
      for (const body of [
        { model: 'nobody/x' },
        { model: 'sim/fault-error-500' },
        { model: 'sim/fault-reset-mid-stream', stream: true },
        { model: 'sim/fault-reset-before-headers' },
        { stream: 'no boolean' },
        { filler: filler.repeat(2) },
      ]) {
        const response = await harness.chat({ filler, ...body })
        expect(response.status).not.toBe(503)
        await response.text()
      }
    }
    expect((await harness.chat({ filler })).status).toBe(200)
  })
})

describe('a client that does not read its answer', () => {
  /** A request for a stream of some 100 MB, by a client that reads nothing of it. */
  async function stall(harness: Harness) {
    const socket = await connectRaw(harness.gateway.port)
    socket.pause()
    const body = JSON.stringify({
      model: 'sim/fault-huge-answer',
      stream: true,
      messages: [{ role: 'user', content: 'x' }],
    })
    socket.write(rawChat(body, { 'x-request-id': 'stalled' }))
    await until(() => harness.simulator.stats().open === 1)
    return socket
  }

  test('holds the gateway to a few megabytes, and is cut in time', async () => {
    const harness = await start({ server: { client_stall: '1s' }, sim: { model_list: false } })
    const socket = await stall(harness)
    const row = await harness.row(({ clientRequestId }) => clientRequestId === 'stalled')
    expect(row).toMatchObject({
      status: 499,
      outcome: 'cancelled',
      errorCode: 'client_closed',
      errorMessage: expect.stringContaining('stopped reading'),
    })
    // All that ever left the gateway, of 70 MB: the rest stayed with the upstream.
    expect(row.answerBytes).toBeLessThan(16 * 1024 * 1024)
    await until(() => harness.simulator.stats().cancelled === 1, 1_000)
    const closed = Promise.withResolvers<void>()
    socket.on('close', () => closed.resolve())
    socket.on('error', () => {})
    socket.resume()
    await closed.promise
  })

  test('but reads on in time gets all of it', async () => {
    const harness = await start({ server: { client_stall: '10s' }, sim: { model_list: false } })
    const socket = await stall(harness)
    await Bun.sleep(300)
    let length = 0
    let tail = ''
    const ended = Promise.withResolvers<void>()
    socket.on('data', (bytes: Buffer) => {
      length += bytes.length
      tail = (tail + bytes.subarray(-64).toString('latin1')).slice(-64)
      if (tail.includes('data: [DONE]\n\n')) ended.resolve()
    })
    socket.resume()
    await ended.promise
    expect(length).toBeGreaterThan(70 * 1024 * 1024)
    socket.destroy()
  }, 20_000)
})

describe('a connection that is reset before it answers', () => {
  const answer =
    '{"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}'

  /** An upstream that resets its first connections once they have sent their request. */
  function resetting(times: number) {
    return startSocketUpstream((socket, number) => {
      socket.on('data', (bytes: Buffer) => {
        if (!bytes.toString().includes('"messages"')) return
        if (number <= times) socket.resetAndDestroy()
        else
          socket.end(
            `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${answer.length}\r\nconnection: close\r\n\r\n${answer}`
          )
      })
    })
  }

  async function ask(port: number, settings: Record<string, unknown> = {}) {
    const harness = await start({
      providers: {
        raw: {
          type: 'openai',
          base_url: `http://127.0.0.1:${port}/v1`,
          api_key: 'none',
          model_list: false,
          ...settings,
        },
      },
    })
    const response = await harness.chat({ model: 'raw/x' })
    return { response, row: await harness.rowOf(response) }
  }

  test('is tried once more, and the log says that it may be billed twice', async () => {
    const upstream = await resetting(1)
    const { response, row } = await ask(upstream.port)
    expect(response.status).toBe(200)
    expect(await response.text()).toBe(answer)
    expect(response.headers.get('x-tg-attempts')).toBe('2')
    expect(row.attempts).toMatchObject([
      { number: 1, outcome: 'failed', errorCode: 'upstream_broken' },
      {
        number: 2,
        outcome: 'ok',
        status: 200,
        retryOf: 'connection_reset',
        possiblyBilledTwice: true,
      },
    ])
    expect(row.attempts?.[0]).not.toHaveProperty('possiblyBilledTwice')
    upstream.stop()
  })

  test('is not tried a third time', async () => {
    const upstream = await resetting(9)
    const { response, row } = await ask(upstream.port)
    expect(response.status).toBe(502)
    expect((await errorOf(response)).code).toBe('upstream_broken')
    expect(row.attempts).toHaveLength(2)
    expect(upstream.connections()).toBe(2)
    upstream.stop()
  })

  test('is not tried again where retry_on_reset is off', async () => {
    const upstream = await resetting(1)
    const { response, row } = await ask(upstream.port, { retry_on_reset: false })
    expect(response.status).toBe(502)
    expect(row.attempts).toHaveLength(1)
    expect(upstream.connections()).toBe(1)
    upstream.stop()
  })
})
