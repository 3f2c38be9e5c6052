import { afterAll, describe, expect, test } from 'bun:test'
import type { WebhookSettings } from '../config/alerts'
import { createAddressGuard } from '../providers/private-addresses'
import { isTaken, postWebhook } from './post-webhook'

const SECRET = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  development: false,
  fetch(request) {
    const { pathname } = new URL(request.url)
    if (pathname === '/silent') return new Promise<Response>(() => {})
    if (pathname === '/stalling') return new Response(endless(false), { status: 202 })
    if (pathname === '/endless') return new Response(endless(true))
    return new Response('busy', {
      status: 503,
      headers: { 'retry-after': new Date(Date.now() + 120_000).toUTCString() },
    })
  },
})
afterAll(() => server.stop(true))

function endless(goesOn: boolean): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode('begun')),
    pull(controller) {
      if (!goesOn) return new Promise<void>(() => {})
      controller.enqueue(new Uint8Array(1_000).fill(97))
      return undefined
    },
  })
}

const post = (change: Partial<WebhookSettings>, guard = createAddressGuard()) => {
  const webhook: WebhookSettings = {
    ...{ name: 'ops', url: server.url.href, secrets: [SECRET], events: [], subjects: [] },
    ...{ headers: {}, timeoutMs: 2_000, privateAddresses: true, proxy: undefined },
    ...change,
  }
  return postWebhook(webhook, { id: 'id', body: '{}' }, guard, new AbortController().signal)
}

const at = (path: string) => new URL(path, server.url).href

describe('a message to a webhook', () => {
  test('brings back the status, and a date as the time to wait', async () => {
    const answer = await post({})
    expect(answer).toMatchObject({ kind: 'answered', status: 503, text: 'busy' })
    const waitMs = answer.kind === 'answered' ? answer.retryAfterMs : undefined
    expect(Math.abs((waitMs ?? 0) - 120_000)).toBeLessThan(10_000)
  })

  test('waits for an answer no longer than it may', async () => {
    expect(await post({ url: at('/silent'), timeoutMs: 100 })).toEqual({
      kind: 'failed',
      problem: 'no answer within 100 ms',
    })
  })

  test('is taken by a status alone, however long its answer', async () => {
    const stalling = await post({ url: at('/stalling'), timeoutMs: 200 })
    expect(isTaken(stalling)).toBe(true)
    const whole = await post({ url: at('/endless') })
    expect(isTaken(whole)).toBe(true)
    expect(whole.kind === 'answered' ? whole.text.length : 0).toBe(1_024)
  })

  test('goes to no private address that a public name leads to', async () => {
    const lookup = async () => [{ address: '127.0.0.1', family: 4 as const, ttl: 1 }]
    const guard = createAddressGuard(lookup, (name) => ({ title: `the hook ${name}`, field: 'f' }))
    const url = `http://hooks.example:${server.port}/`
    expect(await post({ url, privateAddresses: false }, guard)).toEqual({
      kind: 'failed',
      problem:
        'the hook ops resolves to the private address 127.0.0.1; if that is meant, set f: true',
    })
  })

  test('names the reason when nobody listens', async () => {
    expect(await post({ url: 'http://127.0.0.1:1/' })).toEqual({
      kind: 'failed',
      problem: "can't be reached (ECONNREFUSED)",
    })
  })
})
