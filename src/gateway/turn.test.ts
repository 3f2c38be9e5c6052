import { afterAll, describe, expect, test } from 'bun:test'

import { GatewayError } from '../errors/gateway-error'
import { openaiChat } from '../protocols/openai/openai'
import { providerConfiguration } from '../providers/fixtures/configuration'
import { createProvider } from '../providers/provider'
import type { ResendReason, Sender, SendRequest, SendResult } from '../providers/send'
import { createModelIndex } from '../routing/model-index'
import { AffinityBook } from '../routing/affinity'
import { HealthBook } from '../routing/health/health-book'
import { toPlainPlan } from '../routing/plan'
import { createTicker } from '../std/ticker'
import { Presence, type Waiting } from './client-call'
import { RequestRecord } from './request-record'
import { ToolCallMemory } from './tool-call-memory'
import { turn } from './turn'

const ticker = createTicker()
afterAll(() => ticker.stop())

const CLOCK = { now: () => performance.now(), random: Math.random }

const ANSWER = '{"choices":[{"index":0,"finish_reason":"stop"}]}'

function failure(resend: ResendReason | undefined): SendResult {
  const error = new GatewayError('upstream_broken', `failed, and may be sent again: ${resend}`)
  return { ok: false, error, resend }
}

/** A turn whose sends end as they are told to, and then well; with what was sent. */
function start(
  fates: (ResendReason | 'for good')[],
  options: { retryOnReset?: boolean; leaving?: AbortController } = {}
) {
  const sends: SendRequest[] = []
  const sender: Sender = {
    isCold: () => false,
    async send(request) {
      sends.push(request)
      const fate = fates.shift()
      if (fate === 'for good') return failure(undefined)
      if (fate) return failure(fate)
      return { ok: true, response: new Response(ANSWER), signed: undefined }
    },
  }
  const { retryOnReset = true, leaving = new AbortController() } = options
  const provider = createProvider(providerConfiguration({ retryOnReset }))
  const record = new RequestRecord()
  const body = new TextEncoder().encode('{"model":"host/x"}')
  const result = turn(
    {
      ...{ sender, memory: new ToolCallMemory(), log: { attempt() {} } },
      ...{ health: new HealthBook(CLOCK), affinity: new AffinityBook(CLOCK.now) },
    },
    {
      protocol: openaiChat,
      envelope: openaiChat.client.parseRequest(body, {}),
      timeoutMs: undefined,
      failover: { retries: 0, capability: true, contextLength: true, contentPolicy: false },
      plan: toPlainPlan(createModelIndex([provider]).resolve('host/x')),
      reserve: () => ({ kind: 'held' }),
      generation() {
        throw new Error('nothing is translated here')
      },
      withMedia: () => undefined,
      call: { ...CALL, signal: () => leaving.signal },
      presence: watchedPresence(leaving.signal),
      record,
    }
  )
  return { result, sends, record }
}

describe('turn', () => {
  test('sends a refused HTTP/2 stream again until it is taken', async () => {
    const { result, record } = start(['http2_refused', 'http2_refused', 'http2_refused'])
    expect((await result).kind).toBe('whole')
    expect(record.attempts).toMatchObject([
      { number: 1, outcome: 'failed', retryOf: undefined, possiblyBilledTwice: false },
      { number: 2, outcome: 'failed', retryOf: 'http2_refused', possiblyBilledTwice: false },
      { number: 3, outcome: 'failed', retryOf: 'http2_refused', possiblyBilledTwice: false },
      { number: 4, outcome: 'ok', retryOf: 'http2_refused', possiblyBilledTwice: false },
    ])
  })

  test('gives up on an upstream that refuses every stream', async () => {
    const { result, sends } = start(Array(50).fill('http2_refused'))
    await expect(result).rejects.toMatchObject({ code: 'upstream_broken' })
    expect(sends.length).toBeLessThan(10)
  })

  test('sends once more after a reset, by a connection of its own', async () => {
    const { result, sends, record } = start(['connection_reset'])
    expect((await result).kind).toBe('whole')
    expect(sends.map(({ fresh }) => fresh)).toEqual([false, true])
    expect(record.attempts[1]).toMatchObject({
      retryOf: 'connection_reset',
      possiblyBilledTwice: true,
    })
  })

  test.each<[string, (ResendReason | 'for good')[], boolean, number]>([
    ['a second reset', ['connection_reset', 'connection_reset'], true, 2],
    ['a reset where that is not allowed', ['connection_reset'], false, 1],
    ['a failure that is one', ['for good'], true, 1],
    ['a reset behind a refused stream', ['http2_refused', 'connection_reset', 'for good'], true, 3],
  ])('ends with %s', async (_, fates, retryOnReset, sent) => {
    const { result, sends } = start(fates, { retryOnReset })
    await expect(result).rejects.toMatchObject({ code: 'upstream_broken' })
    expect(sends).toHaveLength(sent)
  })

  test('ends when the client leaves between two attempts', async () => {
    const leaving = new AbortController()
    const { result, sends } = start(Array(3).fill('http2_refused'), { leaving })
    leaving.abort()
    await expect(result).rejects.toMatchObject({ code: 'client_closed' })
    expect(sends.length).toBeLessThan(4)
  })
})

describe('Presence', () => {
  test('looks at the signal only when the wait has lasted, and then learns of a client that has left', () => {
    const told: string[] = []
    const opened: boolean[] = []
    let looks = 0
    const signal = () => {
      looks++
      return AbortSignal.abort()
    }
    const call = { ...CALL, signal, keepOpen: (open: boolean) => void opened.push(open) }
    const presence = new Presence(call, ticker, 1_000)
    presence.attend(listener(told))
    presence.tick(1_100)
    expect([looks, told, opened]).toEqual([0, [], []])
    presence.tick(1_300)
    expect([told, opened]).toEqual([['client_closed'], [true]])
    presence.end()
    expect(opened).toEqual([true, false])
  })

  test('wakes who sleeps when the client leaves', async () => {
    const leaving = new AbortController()
    const sleeping = watchedPresence(leaving.signal).sleep(60_000)
    leaving.abort()
    await expect(sleeping).rejects.toMatchObject({ code: 'client_closed' })
  })

  test('lets those sleep to the end whose client stays', async () => {
    await watchedPresence(new AbortController().signal).sleep(1)
  })

  test('tells at once whoever listens after the client has left', () => {
    const leaving = new AbortController()
    const presence = watchedPresence(leaving.signal)
    leaving.abort()
    const told: string[] = []
    presence.attend(listener(told))
    expect(told).toEqual(['client_closed'])
    expect(presence.hasLeft).toBe(true)
  })
})

const CALL = {
  token: undefined,
  clientRequestId: undefined,
  passedHeaders: undefined,
  isForm: false,
  origin: () => 'http://gateway',
  readForm: () => Promise.reject(new Error('not asked here')),
  route: {},
  isStrict: false,
  credentials: () => ({}),
  header: () => null,
  labels: () => ({ user: undefined, session: undefined, tags: [] }),
  readBody: async () => new Uint8Array(0),
  keepOpen: () => {},
}

function listener(told: string[]): Waiting {
  return { tick() {}, abort: ({ code }) => void told.push(code) }
}

/** A presence whose request has lasted long enough for the signal to be looked at. */
function watchedPresence(signal: AbortSignal): Presence {
  const presence = new Presence({ ...CALL, signal: () => signal }, ticker, 0)
  presence.tick(1_000)
  return presence
}
