import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'

import { createSimulator, type Simulator } from '../src/simulator/simulator'
import { startHarness, until, type Harness, type HarnessOptions } from './harness'

const CERT_FILE = join(import.meta.dir, 'fixtures', 'localhost.cert.pem')
const KEY_FILE = join(import.meta.dir, 'fixtures', 'localhost.key.pem')

/** Beyond the 64 that Bun keeps in one pool. */
const MANY = 110

let secure: Simulator
let wire: Awaited<ReturnType<typeof startWire>>
let harness: Harness

beforeAll(async () => {
  const cert = await Bun.file(CERT_FILE).text()
  const key = await Bun.file(KEY_FILE).text()
  secure = createSimulator({ tls: { cert, key } })
})
afterAll(() => secure.stop())
afterEach(async () => {
  await harness.stop()
  wire.stop()
})

/** A gateway before an upstream that speaks HTTP/1.1 over TLS, whose connections are counted. */
async function start(options: HarnessOptions = {}) {
  wire = await startWire(secure.port)
  const secureProvider = {
    type: 'openai',
    base_url: `https://localhost:${wire.port}/v1`,
    api_key: 'none',
    ca: CERT_FILE,
    model_list: false,
    private_addresses: true,
  }
  const providers = { secure: secureProvider }
  harness = await startHarness({ ...options, providers })
  return providers
}

const askMany = async (model: string) => {
  const answers = await Promise.all(
    Array.from({ length: MANY }, async () => {
      const response = await harness.chat({ model, stream: model.includes('tps') })
      await response.text()
      return response.status
    })
  )
  expect(new Set(answers)).toEqual(new Set([200]))
}

const logged = (message: string) =>
  harness.programLines.map((line) => JSON.parse(line)).filter((entry) => entry.message === message)

describe('connections to an upstream that speaks HTTP/1.1 over TLS', () => {
  test.each(['secure/sim-1;ttft=100', 'secure/sim-1;tps=200;tokens=20'])(
    'are kept, however many requests are under way: %s',
    async (model) => {
      await start()
      await askMany(model)
      // The first burst may have begun before it was known what the upstream speaks.
      await askMany(model)
      const before = wire.accepted()
      for (let burst = 0; burst < 3; burst++) await askMany(model)
      expect(wire.accepted() - before).toBeLessThanOrEqual(3)
      expect(logged('more connections by HTTP/1.1 are kept').map(({ pools }) => pools)).toEqual([
        1, 2,
      ])
    },
    20_000
  )

  test('are few where few requests are under way', async () => {
    await start()
    for (let requests = 0; requests < 20; requests++)
      await (await harness.chat({ model: 'secure/sim-1' })).text()
    expect(wire.accepted()).toBeLessThanOrEqual(5)
  })

  test('have their places back from clients that left', async () => {
    await start()
    await (await harness.chat({ model: 'secure/sim-1' })).text()
    for (let round = 0; round < 3; round++) {
      const leaving = new AbortController()
      const clients = Array.from({ length: 50 }, () =>
        harness.chat({ model: 'secure/sim-1;ttft=60000' }, { signal: leaving.signal })
      )
      await until(() => secure.stats().open === 50)
      leaving.abort()
      await Promise.allSettled(clients)
      await until(() => secure.stats().open === 0)
    }
    expect(logged('more connections by HTTP/1.1 are kept')).toHaveLength(1)
  })
})

describe('connecting ahead of requests', () => {
  const warmed = () => logged('connected ahead of requests')

  test('spares the first request the connection', async () => {
    secure.reset()
    await start()
    await until(() => warmed().length > 0)
    const before = wire.accepted()
    expect(before).toBeGreaterThan(0)
    expect(secure.stats().lastRequest).toMatchObject({ method: 'HEAD', path: '/', bodyBytes: 0 })
    expect(secure.stats().lastRequest?.headers).not.toHaveProperty('authorization')
    expect((await harness.chat({ model: 'secure/sim-1' })).status).toBe(200)
    expect(wire.accepted()).toBe(before)
    expect(warmed()).toEqual([expect.objectContaining({ level: 'debug', provider: 'secure' })])
    expect(warmed()[0]).not.toHaveProperty('problem')
  })

  test('leaves clear text alone, and is left out where the configuration says so', async () => {
    await start({ server: { warm_connections: false } })
    expect((await harness.chat()).status).toBe(200)
    expect(warmed()).toEqual([])
    expect(wire.accepted()).toBe(0)
    expect(harness.simulator.requests().filter(({ method }) => method === 'HEAD')).toEqual([])
  })

  test('is done again after a reload only for who has not answered lately', async () => {
    const providers = await start()
    await until(() => warmed().length === 1)
    const elsewhere = { ...providers.secure, base_url: `https://127.0.0.1:${wire.port}/v1` }
    await harness.reload({ providers: { ...providers, elsewhere } })
    await until(() => warmed().length === 2)
    expect(warmed().map(({ provider }) => provider)).toEqual(['secure', 'elsewhere'])
  })
})

/** Passes bytes on to a port, and counts the connections. */
async function startWire(to: number) {
  let accepted = 0
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    accepted++
    const upstream = connect(to, '127.0.0.1')
    sockets.add(client).add(upstream)
    client.on('error', () => upstream.destroy()).pipe(upstream)
    upstream.on('error', () => client.destroy()).pipe(client)
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  const { promise, resolve } = Promise.withResolvers<number>()
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    resolve(typeof address === 'object' && address ? address.port : 0)
  })
  return {
    port: await promise,
    accepted: () => accepted,
    stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
