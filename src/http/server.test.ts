import { describe, expect, test } from 'bun:test'
import { Hono } from 'hono'

import type { ServerConfiguration } from '../config/configuration'
import type { AppEnv } from './app'
import { listen } from './server'

const CONFIGURATION: ServerConfiguration = {
  host: '127.0.0.1',
  port: 0,
  tls: undefined,
  behindProxy: false,
  maxBodyBytes: 1_000,
  maxUploadBytes: 512_000_000,
  maxBodiesBytes: 10_000,
  maxInFlight: 10,
  headHoldMs: 1_000,
  heartbeatMs: 1_000,
  clientStallMs: 1_000,
  warmConnections: true,
  fetchImages: true,
  drain: { readinessDelayMs: 0, limitMs: 1_000 },
}

/** A server whose one route answers when it is let, and counts what is under way. */
function start() {
  let underWay = 0
  const gate = Promise.withResolvers<void>()
  const app = new Hono<AppEnv>()
  app.get('/slow', async (c) => {
    underWay++
    c.req.raw.signal.addEventListener('abort', () => underWay--)
    await gate.promise
    underWay--
    return c.text('done')
  })
  app.post('/size', async (c) => c.text(String((await c.req.raw.bytes()).length)))
  const listener = listen(CONFIGURATION, app)
  return { listener, letGo: gate.resolve, underWay: () => underWay }
}

async function untilUnderWay(underWay: () => number, count: number): Promise<void> {
  while (underWay() !== count) await Bun.sleep(5)
}

describe('listen', () => {
  test('says where it listens, and writes an IPv6 address as a URL does', async () => {
    const { listener } = start()
    expect(listener.url).toBe(`http://127.0.0.1:${listener.port}`)
    await listener.drain(0, () => 0)
    const six = listen({ ...CONFIGURATION, host: '::1' }, new Hono<AppEnv>())
    expect(six.url).toBe(`http://[::1]:${six.port}`)
    await six.drain(0, () => 0)
  })

  test('refuses an address that is taken', async () => {
    const { listener } = start()
    const again = () => listen({ ...CONFIGURATION, port: listener.port }, new Hono<AppEnv>())
    expect(again).toThrow(/EADDRINUSE|in use/)
    await listener.drain(0, () => 0)
  })

  test('leaves it to the app to refuse a body that is somewhat too large', async () => {
    const { listener } = start()
    const response = await fetch(`${listener.url}/size`, {
      method: 'POST',
      body: 'x'.repeat(5_000),
    })
    expect(await response.text()).toBe('5000')
    await listener.drain(0, () => 0)
  })

  test('drains: what is under way ends, and nothing new is taken', async () => {
    const { listener, letGo, underWay } = start()
    const answer = fetch(`${listener.url}/slow`)
    await untilUnderWay(underWay, 1)
    const drained = listener.drain(5_000, underWay)
    await expect(fetch(`${listener.url}/slow`, { keepalive: false })).rejects.toThrow()
    letGo()
    expect(await (await answer).text()).toBe('done')
    expect(await drained).toBe(0)
  })

  test('cuts at the limit what goes on, and says how many those were', async () => {
    const { listener, underWay } = start()
    const answers = [1, 2].map(() => fetch(`${listener.url}/slow`).then(String, () => 'cut'))
    await untilUnderWay(underWay, 2)
    expect(await listener.drain(50, underWay)).toBe(2)
    expect(await Promise.all(answers)).toEqual(['cut', 'cut'])
    expect(underWay()).toBe(0)
  })
})
