import { afterAll, describe, expect, test } from 'bun:test'
import { createSecureServer } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { ConnectionLanes, speaksHttp1 } from '../src/providers/connection-lanes'
import { startHarness } from './harness'

const CERT_FILE = join(import.meta.dir, 'fixtures', 'localhost.cert.pem')
const cert = await Bun.file(CERT_FILE).text()
const key = await Bun.file(join(import.meta.dir, 'fixtures', 'localhost.key.pem')).text()

const WHOLE = '{"choices":[{"index":0,"finish_reason":"stop","message":{"content":"x"}}]}'

/** More than the 64 of a pool; client and gateway, both in this process, may have 256 requests in all. */
const BURST = 100

const cleanUps: (() => unknown)[] = []
afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp()
})

type Listening = { listen(port: number, host: string, done: () => void): unknown; close(): unknown }

async function portOf(server: Listening & { address(): AddressInfo | string | null }) {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

describe('an upstream over TLS that speaks HTTP/1.1', () => {
  test('is not connected to anew for each burst, larger than a pool', async () => {
    let connections = 0
    // All of a burst are there before the first is answered: each has a connection.
    let waiting: (() => void)[] = []
    const server = createHttpsServer(
      { cert, key, keepAliveTimeout: 60_000 },
      (request, response) => {
        request.resume()
        request.on('end', () => {
          waiting.push(() => response.end(WHOLE))
          if (waiting.length < BURST) return
          for (const answer of waiting.splice(0)) answer()
        })
      }
    )
    server.on('secureConnection', () => connections++)
    const port = await portOf(server)
    const harness = await startHarness({
      providers: {
        far: {
          ...{ type: 'openai', base_url: `https://localhost:${port}/v1`, api_key: 'none' },
          ...{ ca: CERT_FILE, model_list: false, private_addresses: true },
        },
      },
    })
    cleanUps.push(() => harness.stop())
    const burst = async () => {
      const before = connections
      const asked = Array.from({ length: BURST }, () => harness.chat({ model: 'far/m' }))
      for (const answer of await Promise.all(asked))
        expect(await answer.json()).toMatchObject({ choices: [{}] })
      return connections - before
    }
    // The first finds out what is spoken there, the second opens what is missing.
    await burst()
    await burst()
    expect(await burst()).toBeLessThan(8)
    expect(await burst()).toBeLessThan(8)
    waiting = []
  }, 30_000)
})

describe('which version an origin chooses', () => {
  test('is found by asking for one connection', async () => {
    const one = createHttpsServer({ cert, key })
    const two = createSecureServer({ cert, key, allowHTTP1: true })
    expect(await speaksHttp1('localhost', await portOf(one), cert)).toBe(true)
    expect(await speaksHttp1('localhost', await portOf(two), cert)).toBe(false)
  })

  test('stays open where nobody can be asked, or is to be trusted', async () => {
    const server = createServer((socket) => socket.destroy())
    const port = await portOf(server)
    expect(await speaksHttp1('localhost', port, cert)).toBeUndefined()
    const stranger = createHttpsServer({ cert, key })
    expect(await speaksHttp1('localhost', await portOf(stranger), undefined)).toBeUndefined()
  })
})

describe('lanes', () => {
  const fill = (lanes: ConnectionLanes, requests: number) =>
    Array.from({ length: requests }, () => lanes.enter())

  test('are filled one after the other, the first before all', async () => {
    const lanes = new ConnectionLanes(
      async () => true,
      () => 0
    )
    const first = fill(lanes, 65)
    expect(new Set(first).size).toBe(1)
    await Promise.resolve()
    const more = fill(lanes, 128)
    expect(new Set(more).size).toBe(2)
    expect(more.map((lane) => lane.toTls({ ca: 'x' })?.passphrase)[0]).toBe('lane 1')
    for (const lane of first) lane.leave()
    expect(lanes.enter().toTls({ ca: 'x' })).toEqual({ ca: 'x' })
  })

  test('are one where HTTP/2 is spoken, and while nobody knows', async () => {
    let asked = 0
    const state = { nowMs: 0 }
    const ask = async () => (++asked === 1 ? undefined : false)
    const lanes = new ConnectionLanes(ask, () => state.nowMs)
    fill(lanes, 100)
    await Promise.resolve()
    fill(lanes, 100)
    expect(asked).toBe(1)
    state.nowMs = 30_000
    fill(lanes, 1)
    await Promise.resolve()
    expect(asked).toBe(2)
    expect(new Set(fill(lanes, 300)).size).toBe(1)
  })
})
