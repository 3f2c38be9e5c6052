import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectH2 } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'

import { createSimulator, type Simulator } from '../src/simulator/simulator'
import { errorOf, eventsOf, takeApart } from './answers'
import { openH2Stream } from './h2-client'
import { startHarness, type Harness } from './harness'

const CERT_FILE = join(import.meta.dir, 'fixtures', 'localhost.cert.pem')
const KEY_FILE = join(import.meta.dir, 'fixtures', 'localhost.key.pem')
const cert = await Bun.file(CERT_FILE).text()
const key = await Bun.file(KEY_FILE).text()

let harness: Harness

beforeAll(async () => {
  harness = await startHarness({ server: { tls: { cert: CERT_FILE, key: KEY_FILE } } })
})
afterAll(() => harness.stop())

describe('a listener with a certificate', () => {
  test('speaks HTTP/1.1, whole and streamed', async () => {
    expect(harness.gateway.url).toStartWith('https://127.0.0.1:')
    const whole = await harness.chat({}, { tls: { ca: cert } })
    expect(whole.status).toBe(200)
    const streamed = await harness.chat({ stream: true }, { tls: { ca: cert } })
    expect((await eventsOf(streamed)).terminators).toBe(1)
  })

  test('shows that certificate to whoever asks', async () => {
    await expect(harness.chat()).rejects.toThrow(/SELF_SIGNED|self.signed/i)
  })

  test('speaks HTTP/2 to a client that offers it', async () => {
    const session = connectH2(harness.gateway.url, { ca: cert })
    const body = '{"model":"sim/sim-1","stream":true,"messages":[{"role":"user","content":"x"}]}'
    const { headers, text } = openH2Stream(session, body)
    expect((await headers)[':status']).toBe(200)
    expect(takeApart(await text).terminators).toBe(1)
    expect(session.alpnProtocol).toBe('h2')
    session.close()
  })

  test.each([
    [['h2', 'http/1.1'], 'h2'],
    [['http/1.1'], 'http/1.1'],
  ])('chooses of %p', async (ALPNProtocols, chosen) => {
    const { port } = harness.gateway
    const { promise, resolve, reject } = Promise.withResolvers<string | false | null>()
    const socket = connectTls({ host: '127.0.0.1', port, ca: cert, ALPNProtocols }, () =>
      resolve(socket.alpnProtocol)
    )
    socket.on('error', reject)
    expect(await promise).toBe(chosen)
    socket.destroy()
  })
})

describe('an upstream behind TLS', () => {
  let secure: Simulator
  beforeAll(() => {
    secure = createSimulator({ tls: { cert, key }, http2: true })
  })
  afterAll(() => secure.stop())

  const provider = (ca: Record<string, string>) => ({
    type: 'openai',
    base_url: `https://localhost:${secure.port}/v1`,
    api_key: 'none',
    private_addresses: true,
    ...ca,
  })

  test('is trusted by the certificates that its provider names', async () => {
    const other = await startHarness({ providers: { secure: provider({ ca: CERT_FILE }) } })
    const response = await other.chat({ model: 'secure/sim-1', stream: true })
    expect(response.status).toBe(200)
    expect((await eventsOf(response)).terminators).toBe(1)
    await other.stop()
  })

  test('is not trusted otherwise', async () => {
    const other = await startHarness({ providers: { secure: provider({}) } })
    const response = await other.chat({ model: 'secure/untrusted' })
    expect(response.status).toBe(502)
    expect((await errorOf(response)).code).toBe('upstream_unreachable')
    expect(secure.stats().lastRequest?.model).not.toBe('untrusted')
    await other.stop()
  })

  test('is spoken to in HTTP/2 by the serving process: many requests, few connections', async () => {
    const serving = await startServing({
      server: { port: 0 },
      providers: { secure: { ...provider({ ca: CERT_FILE }), model_list: false } },
    })
    try {
      // The first one learns what the origin speaks; from then on all share its connection.
      expect((await serving.chat()).status).toBe(200)
      secure.reset()
      const answers = await Promise.all(Array.from({ length: 30 }, () => serving.chat()))
      expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200))
      expect(secure.stats().requests).toBe(30)
      expect(secure.stats().connections).toBeLessThanOrEqual(2)
    } finally {
      await serving.stop()
    }
  }, 20_000)
})

/** `tollgate serve` as it is run, since Bun reads what lets it speak HTTP/2 when a process starts. */
async function startServing(configuration: Record<string, unknown>) {
  const directory = mkdtempSync(join(tmpdir(), 'tollgate-tls-'))
  const file = join(directory, 'tollgate.json')
  writeFileSync(file, JSON.stringify(configuration))
  const main = join(import.meta.dir, '..', 'src', 'main.ts')
  const command = ['serve', '--config', file, '--data', join(directory, 'data')]
  const child = Bun.spawn([process.execPath, main, ...command, '--log-format', 'json'], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const url = await findUrl(child.stderr)
  const body = '{"model":"secure/sim-1;ttft=100","messages":[{"role":"user","content":"x"}]}'
  return {
    chat: () => fetch(`${url}/v1/chat/completions`, { method: 'POST', body }),
    async stop() {
      child.kill('SIGTERM')
      await child.exited
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Where a gateway says that it listens. */
async function findUrl(lines: ReadableStream<Uint8Array>): Promise<string> {
  let text = ''
  for await (const bytes of lines) {
    text += Buffer.from(bytes).toString()
    const url = /"url":"([^"]+)"/.exec(text)?.[1]
    if (url !== undefined) return url
  }
  throw new Error(`it never listened: ${text}`)
}
