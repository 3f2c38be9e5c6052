import { afterEach, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'

import { GatewayError } from '../errors/gateway-error'
import { createTicker } from '../std/ticker'
import { BodyReads } from './read-body'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/** A server that answers with the body it was sent, or with the code of what was wrong with it. */
function serveBodies(options: { maxBytes?: number; deadlineMs?: number } = {}) {
  const ticker = createTicker(20)
  const reads = new BodyReads(
    ticker,
    () => options.maxBytes ?? 1_000,
    { directory: '', maxBytes: () => 0 },
    options.deadlineMs ?? 5_000
  )
  const held: number[] = []
  const outcomes: string[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      try {
        const bytes = await reads.read(request, { hold: (size) => void held.push(size) })
        outcomes.push('read')
        return new Response(bytes)
      } catch (error) {
        const { code, status } = GatewayError.from(error)
        outcomes.push(code)
        return new Response(code, { status })
      }
    },
  })
  cleanUps.push(
    () => server.stop(true),
    () => ticker.stop()
  )
  return { server, held, outcomes }
}

/** Sends a head and the body's parts, one each `everyMs`, and gives the first line of the answer. */
async function drip(port: number, head: string, parts: string[], everyMs: number) {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1', () => {
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n`)
    const timer = setInterval(() => {
      const part = parts.shift()
      if (part === undefined) clearInterval(timer)
      else socket.write(part)
    }, everyMs)
    cleanUps.push(() => clearInterval(timer))
  })
  socket.on('error', () => {})
  socket.once('data', (bytes: Buffer) => resolve(bytes.toString().split('\r\n')[0] ?? ''))
  cleanUps.push(() => socket.destroy())
  return { answer: promise, socket }
}

describe('BodyReads', () => {
  test('reads a declared body, held before it is read', async () => {
    const { server, held } = serveBodies()
    const response = await fetch(server.url, { method: 'POST', body: 'hello' })
    expect(await response.text()).toBe('hello')
    expect(held).toEqual([5])
  })

  test('reads a body without a length as it comes', async () => {
    const { server, held } = serveBodies()
    const { answer } = await drip(
      server.port ?? 0,
      'transfer-encoding: chunked',
      ['3\r\nabc\r\n', '2\r\nde\r\n', '0\r\n\r\n'],
      10
    )
    expect(await answer).toBe('HTTP/1.1 200 OK')
    expect(held.reduce((sum, size) => sum + size, 0)).toBe(5)
  })

  test('reads no body as an empty one', async () => {
    const { server } = serveBodies()
    const response = await fetch(server.url, { method: 'POST' })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })

  test('refuses what says that it is too large, and holds none of it', async () => {
    const { server, held } = serveBodies({ maxBytes: 10 })
    const response = await fetch(server.url, { method: 'POST', body: 'x'.repeat(11) })
    expect([response.status, await response.text()]).toEqual([413, 'request_too_large'])
    expect(held).toEqual([])
  })

  test('refuses what turns out to be too large', async () => {
    const { server } = serveBodies({ maxBytes: 10 })
    const parts = ['8\r\n12345678\r\n', '8\r\n12345678\r\n']
    const { answer } = await drip(server.port ?? 0, 'transfer-encoding: chunked', parts, 10)
    expect(await answer).toStartWith('HTTP/1.1 413')
  })

  test.each([
    ['declared', 'content-length: 900', 'x'],
    ['chunked', 'transfer-encoding: chunked', '1\r\nx\r\n'],
  ])('cuts a client that drips its body (%s), however alive it seems', async (_, head, part) => {
    const { server, outcomes } = serveBodies({ deadlineMs: 150 })
    const { answer } = await drip(server.port ?? 0, head, Array(900).fill(part), 10)
    expect(await answer).toStartWith('HTTP/1.1 408')
    expect(outcomes).toEqual(['request_timeout'])
  })

  test('says of a client that left that it left', async () => {
    const { server, outcomes } = serveBodies()
    const { socket } = await drip(server.port ?? 0, 'content-length: 900', ['x'], 1)
    await Bun.sleep(50)
    socket.destroy()
    while (outcomes.length === 0) await Bun.sleep(5)
    expect(outcomes).toEqual(['client_closed'])
  })
})
