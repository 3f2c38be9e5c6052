import { afterEach, describe, expect, test } from 'bun:test'

import { AccountBook } from '../ledger/account-book'
import { Governor } from '../ledger/governor'
import { openaiChat } from '../protocols/openai/openai'
import { providerConfiguration } from '../providers/fixtures/configuration'
import { createProvider } from '../providers/provider'
import { createSender } from '../providers/send'
import { createModelIndex } from '../routing/model-index'
import { AffinityBook } from '../routing/affinity'
import { HealthBook } from '../routing/health/health-book'
import { HedgeBudgets } from '../routing/health/hedge-budget'
import { toPlainPlan } from '../routing/plan'
import { createTicker } from '../std/ticker'
import type { LogRecord } from '../telemetry/records'
import type { RequestLog } from '../telemetry/request-log'
import { Admission } from './admission'
import type { ClientCall } from './client-call'
import { handle } from './gateway'
import type { GatewayParts } from './gateway-parts'
import { ToolCallMemory } from './tool-call-memory'
import { createVault } from './vault'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

const FRAMES =
  'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
const WHOLE = '{"choices":[{"index":0,"finish_reason":"stop","message":{"content":"x"}}]}'

/** The parts of a gateway before one upstream, with a log that only remembers. */
function createParts(onRequest: () => unknown = () => {}) {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      await onRequest()
      return (await request.text()).includes('"stream":true')
        ? new Response(FRAMES, { headers: { 'content-type': 'text/event-stream' } })
        : new Response(WHOLE)
    },
  })
  const ticker = createTicker(20)
  /** What was written down; the rest still waits for it. */
  const records: LogRecord[] = []
  const waiting: LogRecord[] = []
  const keep = (record: LogRecord) => void waiting.push(record)
  const write = () => void records.push(...waiting.splice(0))
  const log: RequestLog = {
    assertWritable: () => {},
    begin: keep,
    attempt: keep,
    hold: keep,
    spent: keep,
    bodies: keep,
    defer: keep,
    settlement: keep,
    deferred: async () => [],
    own: () => {},
    disown: () => {},
    owned: async () => [],
    end: keep,
    refused: (begin, end) => void waiting.push(begin, end),
    write,
    written: async () => write(),
    checkpoint: () => true,
    segment: 0,
    counters: async () => [],
    recount: async () => [],
    find: async () => undefined,
    flush: async () => {},
    configure: () => {},
    state: () => 'ok',
    stats: () => {
      throw new Error('not asked here')
    },
    close: async () => {},
  }
  const baseUrl = `http://127.0.0.1:${server.port}/v1`
  const models = createModelIndex([createProvider(providerConfiguration({ baseUrl }))])
  const reported: unknown[] = []
  const parts: GatewayParts = {
    settings: () => ({
      headHoldMs: 60_000,
      heartbeatMs: 60_000,
      clientStallMs: 60_000,
      logBodies: 'off',
      maxLoggedBodyBytes: 0,
      failover: { retries: 0, capability: true, contextLength: true, contentPolicy: false },
      keepResponsesMs: 60_000,
      fetchMedia: undefined,
    }),
    ticker,
    sender: createSender(),
    admission: new Admission(() => ({ maxInFlight: 10, maxBodiesBytes: 10_000 })),
    log,
    memory: new ToolCallMemory(),
    hedges: new HedgeBudgets(),
    health: new HealthBook({ now: () => performance.now(), random: Math.random }),
    affinity: new AffinityBook(() => performance.now()),
    governor: new Governor({ book: new AccountBook([]), now: Date.now, onEvent() {} }),
    governed: () => ({ of: NOBODY, own: [] }),
    estimator: { count: async (texts) => texts.map(() => 1), close() {} },
    authenticate: () => undefined,
    mayUse: () => true,
    plan: ({ envelope }) => toPlainPlan(models.resolve(envelope.model)),
    providers: () => [],
    resolve: (model) => models.resolve(model),
    vault: createVault(new Uint8Array(32)),
    report: (_, error) => void reported.push(error),
  }
  cleanUps.push(ticker.stop, () => server.stop(true))
  return { parts, records, reported }
}

const NOBODY = {
  ...{ organization: 'default', team: undefined, key: undefined, keyId: undefined },
  ...{ user: undefined, session: undefined, tags: [] },
}

function createCall(body: string, changes: Partial<ClientCall> = {}): ClientCall {
  const { signal } = new AbortController()
  return {
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
    readBody: async () => new TextEncoder().encode(body),
    signal: () => signal,
    keepOpen: () => {},
    ...changes,
  }
}

const textOf = (body: ConstructorParameters<typeof Response>[0]) => new Response(body).text()

describe('handle', () => {
  test.each([false, true])(
    'keeps a client waiting for as long as the upstream may take, and no longer (streamed: %p)',
    async (stream) => {
      const order: string[] = []
      const opened = Promise.withResolvers<void>()
      const { parts } = createParts(() => opened.promise)
      const answer = await handle(
        parts,
        openaiChat,
        createCall(`{"model":"host/x","stream":${stream}}`, {
          keepOpen(open) {
            order.push(open ? 'open' : 'timed')
            opened.resolve()
          },
        })
      )
      expect(await textOf(answer.body)).toBe(stream ? FRAMES : WHOLE)
      expect(order).toEqual(['open', 'timed'])
    }
  )

  test('leaves the server’s own timeout to a client that was refused', async () => {
    const order: boolean[] = []
    const { parts } = createParts()
    const call = createCall('{', { keepOpen: (open) => order.push(open) })
    expect((await handle(parts, openaiChat, call)).status).toBe(400)
    expect(order).toEqual([])
  })

  test.each([false, true])(
    'writes the end down before the answer ends (streamed: %p)',
    async (stream) => {
      const { parts, records } = createParts()
      const call = createCall(`{"model":"host/x","stream":${stream}}`)
      const { body } = await handle(parts, openaiChat, call)
      let kinds = records.map(({ kind }) => kind)
      if (body instanceof ReadableStream) {
        expect(kinds).toEqual([])
        const reader = body.getReader()
        for (let next = await reader.read(); !next.done; next = await reader.read())
          kinds = records.map(({ kind }) => kind)
      }
      // As of the last bytes, not of the end behind them.
      expect(kinds).toEqual(['begin', 'attempt', 'end'])
    }
  )

  test('tells the program what was unexpected, and the client nothing of it', async () => {
    const { parts, records, reported } = createParts()
    const failure = new Error('the disk is on fire')
    parts.plan = () => {
      throw failure
    }
    const answer = await handle(parts, openaiChat, createCall('{"model":"host/x"}'))
    expect(answer.status).toBe(500)
    expect(await textOf(answer.body)).not.toContain('fire')
    expect(reported).toEqual([failure])
    expect(records.at(-1)).toMatchObject({ kind: 'end', errorCode: 'internal_error', status: 500 })
    expect(parts.admission.inFlight).toBe(0)
  })

  test('gives back its place however it ends', async () => {
    const { parts } = createParts()
    for (const body of ['{', '{"model":"nobody/x"}', '{"model":"host/x"}']) {
      await handle(parts, openaiChat, createCall(body))
      expect(parts.admission.inFlight).toBe(0)
    }
    const { body } = await handle(parts, openaiChat, createCall('{"model":"host/x","stream":true}'))
    expect(parts.admission.inFlight).toBe(1)
    if (body instanceof ReadableStream) await body.cancel()
    expect(parts.admission.inFlight).toBe(0)
  })
})
