import { GatewayError } from '../errors/gateway-error'
import type { Envelope } from '../protocols/envelope'
import type { Protocol } from '../protocols/protocol'
import type { Sender } from '../providers/send'
import type { Target } from '../routing/target'
import type { Ticker } from '../std/ticker'
import type { RequestLog } from '../telemetry/request-log'
import type { Admission } from './admission'
import type { WholeAnswer, StreamedAnswer } from './answer'
import { BodyKeeper } from './body-keeper'
import { type ClientCall, Presence } from './client-call'
import { relay } from './relay'
import { RequestRecord } from './request-record'
import { turn } from './turn'

/** Who calls, as far as the pipeline cares. */
export type Caller = {
  id: string
  name: string
  /** Whether its bodies are kept; `undefined` leaves it to the settings. */
  bodies: 'off' | 'full' | undefined
  models: readonly string[]
}

/** What the pipeline works with; each is made ready before the first request. */
export type GatewayParts = {
  settings(): GatewaySettings
  ticker: Ticker
  sender: Sender
  admission: Admission
  log: RequestLog
  /** A request is refused, rather than served, while the disk takes no log. */
  refusesUnlogged(): boolean
  /** The caller of a presented key; `undefined` where none is required. Throws `invalid_api_key`. */
  authenticate(token: string | undefined): Caller | undefined
  /** The caller may use a model, named `provider/model`. */
  mayUse(caller: Caller | undefined, model: string): boolean
  /** Targets in order. Throws `model_not_found`, `model_not_allowed`. */
  plan(caller: Caller | undefined, envelope: Envelope): readonly Target[]
  /** An unexpected error: told to the program log, never to the client. */
  report(requestId: string, error: unknown): void
}

export type GatewaySettings = {
  headHoldMs: number
  heartbeatMs: number
  clientStallMs: number
  logBodies: 'off' | 'full'
  maxLoggedBodyBytes: number
}

/** An answer on its way to the client. */
export type Answer = {
  status: number
  headers: Record<string, string>
  body: Uint8Array | string | ReadableStream<Uint8Array>
}

/** The way of a request, from top to bottom. Never throws: a failure is an answer too. */
export async function handle(
  parts: GatewayParts,
  protocol: Protocol,
  call: ClientCall
): Promise<Answer> {
  const exchange = new Exchange(parts, protocol, call)
  try {
    exchange.authenticate()
    const envelope = await exchange.read()
    const plan = exchange.plan(envelope)
    const answer = await exchange.turn(envelope, plan)
    return answer.kind === 'whole' ? exchange.answer(answer) : exchange.stream(answer)
  } catch (error) {
    return exchange.fail(error)
  }
}

/** The answer to a request that failed before or beside the way above; written down all the same. */
export function refuse(
  parts: GatewayParts,
  protocol: Protocol,
  call: ClientCall,
  error: unknown
): Answer {
  return new Exchange(parts, protocol, call).fail(error)
}

/** One request under way: what its stages share, and what must be given back when it ends. */
class Exchange {
  readonly #parts: GatewayParts
  readonly #settings: GatewaySettings
  readonly #protocol: Protocol
  readonly #call: ClientCall
  readonly #record = new RequestRecord()
  readonly #presence: Presence
  #heldBytes = 0
  #isAdmitted = false
  #bodies: BodyKeeper | undefined
  #caller: Caller | undefined

  constructor(parts: GatewayParts, protocol: Protocol, call: ClientCall) {
    this.#parts = parts
    this.#settings = parts.settings()
    this.#protocol = protocol
    this.#call = call
    this.#presence = new Presence(call.signal)
    this.#record.api = protocol.name
    this.#record.operation = protocol.operation
    this.#record.clientRequestId = call.clientRequestId
  }

  authenticate(): void {
    this.#parts.admission.enter()
    this.#isAdmitted = true
    if (this.#parts.log.state() === 'full' && this.#parts.refusesUnlogged())
      throw new GatewayError('log_unavailable', 'requests can not be logged: the disk is full', {
        retryAfterSeconds: 5,
      })
    this.#caller = this.#parts.authenticate(this.#call.token)
    this.#record.keyId = this.#caller?.id
    this.#record.keyName = this.#caller?.name
  }

  async read(): Promise<Envelope> {
    const startedAt = performance.now()
    const body = await this.#call.readBody((bytes) => {
      this.#parts.admission.hold(bytes)
      this.#heldBytes += bytes
    })
    this.#record.waitedMs += performance.now() - startedAt
    this.#record.bodyBytes = body.length
    const envelope = this.#protocol.client.parseRequest(body)
    this.#record.requestedModel = envelope.model
    this.#record.stream = envelope.stream
    if ((this.#caller?.bodies ?? this.#settings.logBodies) === 'full')
      this.#bodies = new BodyKeeper(body, this.#settings.maxLoggedBodyBytes)
    return envelope
  }

  plan(envelope: Envelope): readonly Target[] {
    return this.#parts.plan(this.#caller, envelope)
  }

  turn(envelope: Envelope, plan: readonly Target[]) {
    this.#begin()
    return turn(
      {
        sender: this.#parts.sender,
        ticker: this.#parts.ticker,
        headHoldMs: this.#settings.headHoldMs,
        log: (entry) => this.#parts.log.attempt(entry),
      },
      {
        protocol: this.#protocol,
        envelope,
        plan,
        passedHeaders: this.#call.passedHeaders,
        presence: this.#presence,
        record: this.#record,
      }
    )
  }

  answer({ status, headers, body, facts }: WholeAnswer): Answer {
    this.#record.facts = facts
    this.#noteHead(headers)
    this.#bodies?.append(body)
    this.#record.answerBytes = body.length
    headers['content-type'] = 'application/json'
    this.#end(status, undefined)
    return { status, headers, body }
  }

  stream(answer: StreamedAnswer): Answer {
    const { headers, stream } = answer
    this.#noteHead(headers)
    if (stream.hasContent) this.#record.firstTokenMs = this.#record.elapsedMs()
    headers['content-type'] = 'text/event-stream; charset=utf-8'
    headers['cache-control'] = 'no-cache'
    headers['x-accel-buffering'] = 'no'
    this.#call.keepOpen(true)
    const body = relay(answer, {
      ticker: this.#parts.ticker,
      client: this.#protocol.client,
      heartbeatMs: this.#settings.heartbeatMs,
      clientStallMs: this.#settings.clientStallMs,
      onBytes: (bytes) => {
        this.#record.answerBytes += bytes.length
        this.#bodies?.append(bytes)
        if (stream.hasContent) this.#record.firstTokenMs ??= this.#record.elapsedMs()
      },
      onEnd: (error) => {
        this.#record.facts = stream.facts
        this.#call.keepOpen(false)
        this.#end(error?.code === 'client_closed' ? error.status : 200, error)
      },
    })
    return { status: 200, headers, body }
  }

  fail(thrown: unknown): Answer {
    const error = this.#presence.hasLeft
      ? new GatewayError('client_closed', 'the client closed the connection')
      : GatewayError.from(thrown)
    if (error.code === 'internal_error') this.#parts.report(this.#record.id, error.cause ?? error)
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      ...error.headers,
    }
    if (error.retryAfterSeconds !== undefined)
      headers['retry-after'] = String(error.retryAfterSeconds)
    if (error.shouldRetry !== undefined) headers['x-should-retry'] = String(error.shouldRetry)
    this.#noteHead(headers)
    const body = this.#protocol.client.renderError(error)
    this.#record.answerBytes = body.length
    this.#end(error.status, error)
    return { status: error.status, headers, body }
  }

  #begin(): void {
    this.#record.hasBegun = true
    this.#parts.log.begin(this.#record.toBegin())
  }

  /** What is known when the head leaves. */
  #noteHead(headers: Record<string, string>): void {
    const record = this.#record
    record.headLeftMs = record.elapsedMs()
    headers['x-request-id'] = record.id
    headers['server-timing'] = record.serverTiming()
    if (record.servedModel === undefined) return
    headers['x-tg-model'] = encodeURI(record.servedModel)
    headers['x-tg-attempts'] = String(Math.max(1, record.attempts.length))
  }

  /** Writes the request down and gives back what it held; only the first call counts. */
  #end(status: number, error: GatewayError | undefined): void {
    const record = this.#record
    if (record.hasEnded) return
    record.hasEnded = true
    this.#presence.dispose()
    if (this.#isAdmitted) this.#parts.admission.leave(this.#heldBytes)
    const { log } = this.#parts
    if (!record.hasBegun) {
      log.refused(record.toBegin(), record.toEnd(status, 'refused', error))
      return
    }
    if (this.#bodies) log.bodies(this.#bodies.toRecord(record.id))
    const isCancelled = error?.code === 'client_closed'
    log.end(record.toEnd(status, error ? (isCancelled ? 'cancelled' : 'failed') : 'ok', error))
  }
}
