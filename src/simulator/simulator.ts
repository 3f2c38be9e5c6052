import type { JsonValue } from '../protocols/json'
import { anthropicProtocol } from './anthropic/protocol'
import { bedrockProtocol } from './bedrock/protocol'
import { cohereProtocol } from './cohere/protocol'
import { deliver, type Delivery, deliverFailure, deliverInstead } from './delivery'
import { type Directives, parseDirectives } from './directives'
import { geminiArrayProtocol, geminiProtocol } from './gemini/protocol'
import { answerIntrospection } from './introspection'
import { openaiProtocol } from './openai/protocol'
import { ollamaProtocol } from './ollama/protocol'
import { readForm } from './form-body'
import { ObjectStore } from './object-store'
import { createPace } from './pace'
import type { Asked, Endpoint, Failure, Quirks, SimulatedProtocol } from './protocol'
import {
  createRecorder,
  type Exchange,
  type RecordedRequest,
  type Recorder,
  type RequestFilter,
  type SimulatorStats,
} from './recorder'
import { responsesProtocol } from './responses/protocol'
import { seedOf } from './seed'
import { createTicker, type Ticker } from './ticker'

const MAX_BODY_BYTES = 64 * 1024 * 1024

/** In the order in which they are asked for an endpoint: a path of several is told apart by its headers. */
const PROTOCOLS: readonly SimulatedProtocol[] = [
  anthropicProtocol,
  geminiProtocol,
  geminiArrayProtocol,
  bedrockProtocol,
  cohereProtocol,
  ollamaProtocol,
  responsesProtocol,
  openaiProtocol,
]

const NO_DIRECTIVES: Directives = {
  fault: undefined,
  ttftMs: 0,
  tokensPerSecond: 0,
  jitterMs: 0,
  tokens: undefined,
  stamp: false,
}

const NO_QUIRKS: Quirks = { usage: 'given', refusesStreamOptions: false, filler: undefined }

export type SimulatorOptions = {
  /** 127.0.0.1 unless told. */
  host?: string
  /** A free port unless told. */
  port?: number
  /** PEM texts; without them the simulator speaks clear text. */
  tls?: { cert: string; key: string }
  /** HTTP/2 beside HTTP/1.1: by ALPN over TLS, by prior knowledge in clear text. */
  http2?: boolean
}

export type Simulator = {
  /** Without a path: an OpenAI client's base URL is this and `/v1`. */
  url: string
  port: number
  stats(): SimulatorStats
  requests(filter?: RequestFilter): RecordedRequest[]
  reset(): void
  /** Closes the listener and every connection. */
  stop(): Promise<void>
}

type Shell = { recorder: Recorder; ticker: Ticker; objects: ObjectStore }

/** Starts a provider that needs no model: answers are repeatable, and faults come when asked for. */
export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const shell: Shell = {
    recorder: createRecorder(),
    ticker: createTicker(),
    objects: new ObjectStore(),
  }
  const { recorder, ticker } = shell
  const server = Bun.serve({
    hostname: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    development: false,
    reusePort: false,
    // A client may wait for a hanging answer as long as it likes: that is what the faults are for.
    idleTimeout: 0,
    maxRequestBodySize: MAX_BODY_BYTES,
    http2: options.http2 ?? false,
    ...(options.tls ? { tls: options.tls } : {}),
    fetch(request, listener) {
      const url = new URL(request.url)
      const introspection = answerIntrospection(request.method, url, recorder)
      if (introspection) return introspection
      const peer = listener.requestIP(request)
      const exchange = recorder.begin(`${peer?.address} ${peer?.port}`)
      return answerRequest(request, url, exchange, shell)
    },
  })
  return {
    url: server.url.origin,
    port: server.port ?? 0,
    stats: recorder.stats,
    requests: recorder.requests,
    reset: recorder.reset,
    async stop() {
      ticker.stop()
      await server.stop(true)
    },
  }
}

async function answerRequest(
  request: Request,
  url: URL,
  exchange: Exchange,
  { recorder, ticker, objects }: Shell
): Promise<Response> {
  const arrivedMs = performance.now()
  const bytes = await request.bytes().catch(() => undefined)
  if (!bytes) {
    exchange.cancel()
    return new Response()
  }
  const { pathname } = url
  const { headers, method } = request
  const asked = { pathname, method, query: url.searchParams, headers }
  const { protocol, endpoint } = findEndpoint(asked)
  const form = await readForm(bytes, headers.get('content-type') ?? '')
  const body = form?.fields ?? parseJson(bytes)
  const model = endpoint?.model(pathname, body) ?? ''
  recorder.keep(exchange.number, request, `${pathname}${url.search}`, bytes, model)

  const parsed = parseDirectives(model, request.headers.get('x-sim'))
  const directives = parsed.ok ? parsed.directives : NO_DIRECTIVES
  const { fault } = directives
  const delivery: Delivery = {
    protocol,
    directives,
    pace: createPace(directives, arrivedMs, seedOf(model)),
    ticker,
    exchange,
    signal: request.signal,
    headers: {
      ...protocol.headers(exchange.number, Math.round(performance.now() - arrivedMs)),
      ...fault?.headers,
    },
  }
  if (!parsed.ok) return deliverFailure(refusal(parsed.status, parsed.message), delivery)
  const failure = fault?.failure ?? misuse(request.method, pathname, endpoint, body)
  if (failure) return deliverFailure(failure, delivery)
  if (fault?.instead) return deliverInstead(fault.instead, delivery)
  if (!endpoint) throw new Error('an unknown path was not refused')
  const quirks = { ...NO_QUIRKS, ...fault?.quirks }
  const credential =
    headers.get('authorization') ?? headers.get('x-api-key') ?? headers.get('x-goog-api-key') ?? ''
  const { tokens } = directives
  const call = { pathname, body, model, tokens, quirks, form, objects, credential }
  return deliver(endpoint.answer(call), delivery)
}

function findEndpoint(asked: Asked): {
  protocol: SimulatedProtocol
  endpoint: Endpoint | undefined
} {
  for (const protocol of PROTOCOLS) {
    const endpoint = protocol.endpoint(asked)
    if (endpoint) return { protocol, endpoint }
  }
  return { protocol: openaiProtocol, endpoint: undefined }
}

/** What is wrong with the request before its endpoint looks at it. */
function misuse(
  method: string,
  pathname: string,
  endpoint: Endpoint | undefined,
  body: JsonValue | undefined
): Failure | undefined {
  if (!endpoint) return refusal(404, `Unknown request URL: ${method} ${pathname}`)
  if (endpoint.method !== method) return refusal(405, `Use ${endpoint.method} for ${pathname}`)
  const wantsBody = method === 'POST' && !/[/:]cancel$/.test(pathname)
  if (wantsBody && body === undefined) return refusal(400, 'The body is no valid JSON.')
  return undefined
}

function refusal(status: number, message: string): Failure {
  const codes: Record<number, string> = { 404: 'not_found', 405: 'method_not_allowed' }
  return { status, code: codes[status] ?? null, message }
}

function parseJson(bytes: Uint8Array): JsonValue | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
