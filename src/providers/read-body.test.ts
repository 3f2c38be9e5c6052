import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../errors/gateway-error'
import { Deadlines } from './deadlines'
import { providerConfiguration } from './fixtures/configuration'
import { readWholeBody } from './read-body'

const createDeadlines = () =>
  new Deadlines('host', providerConfiguration().deadlines, performance.now(), false)

/** Fetches what a server answers and reads at most `maxBytes` of it. */
async function readFrom(answer: () => Response, maxBytes: number) {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: answer })
  const deadlines = createDeadlines()
  try {
    const response = await fetch(server.url, { signal: deadlines.signal })
    const bytes = await readWholeBody(response, deadlines, maxBytes)
    return Buffer.from(bytes).toString()
  } catch (error) {
    return GatewayError.from(error).code
  } finally {
    await server.stop(true)
  }
}

/** A body without a length: `count` pieces of `piece`, then an end or an error. */
function pieces(piece: string, count: number, isBroken = false) {
  let sent = 0
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (sent++ < count) return controller.enqueue(Buffer.from(piece))
      if (!isBroken) return controller.close()
      // What was sent must have left, or there would be no answer to break off.
      await Bun.sleep(50)
      controller.error(undefined)
    },
  })
  return new Response(body)
}

describe('readWholeBody', () => {
  test('reads a body, of a length that is said or not', async () => {
    expect(await readFrom(() => new Response('hello'), 5)).toBe('hello')
    expect(await readFrom(() => pieces('ab', 3), 6)).toBe('ababab')
    expect(await readFrom(() => new Response(''), 5)).toBe('')
  })

  test('breaks off where there is more than may be', async () => {
    expect(await readFrom(() => new Response('hello!'), 5)).toBe('upstream_too_large')
    expect(await readFrom(() => pieces('ab', 1_000_000), 1_000)).toBe('upstream_too_large')
  })

  test('counts what a compressed body unpacks to', async () => {
    const bomb = () =>
      new Response(Bun.gzipSync('x'.repeat(1_000_000)), { headers: { 'content-encoding': 'gzip' } })
    expect(await readFrom(bomb, 100_000)).toBe('upstream_too_large')
    expect(await readFrom(bomb, 1_000_000)).toHaveLength(1_000_000)
  })

  test('says of a body that breaks off that it did', async () => {
    expect(await readFrom(() => pieces('ab', 3, true), 100)).toBe('upstream_broken')
  })

  test('says what ended it where that was a deadline', async () => {
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () => new Response(new ReadableStream({ start: (c) => c.enqueue('x') })),
    })
    const deadlines = createDeadlines()
    const response = await fetch(server.url, { signal: deadlines.signal })
    const reading = readWholeBody(response, deadlines, 100)
    deadlines.tick(performance.now() + 70_000)
    await expect(reading).rejects.toMatchObject({ code: 'upstream_timeout' })
    await server.stop(true)
  })
})
