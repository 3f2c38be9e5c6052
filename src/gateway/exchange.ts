import type { OwnedObject } from '../db/owned-objects'
import { GatewayError } from '../errors/gateway-error'
import type { Envelope } from '../protocols/envelope'
import { isChat } from '../protocols/chat-protocol'
import type { GovernedRequest, Grant, Reservation } from '../ledger/governor'
import { boundInput, type InputBound } from '../ledger/input-bound'
import { type PromptText, toPromptText } from '../protocols/estimate-tokens'
import type { Generation } from '../protocols/generation'
import type { AnswerFacts, Protocol } from '../protocols/protocol'
import { type Plan, type PlannedTarget, toPlainPlan } from '../routing/plan'
import type { Target } from '../routing/target'
import type { HeldRecord } from '../telemetry/records'
import { type StreamedAnswer, toStreamed, type UpstreamAnswer, type WholeAnswer } from './answer'
import { noteHead } from './answer-head'
import { AttemptHold } from './attempt-hold'
import { BodyKeeper } from './body-keeper'
import type { Caller } from './caller'
import { type BodyHolder, type ClientCall, Presence, type ReadForm } from './client-call'
import type { Answer, GatewayParts, GatewaySettings } from './gateway-parts'
import { inlineMedia, wantsMedia } from './inline-media'
import { holdHead } from './hold-head'
import { planAtKeeper } from './follow-previous'
import type { KeptAtProvider } from './kept-at-provider'
import { meter } from './meter'
import { readEnvelope } from './read-envelope'
import { relay } from './relay'
import { isFree, reserve, settle, toHeldRecord, toOutcome, UNLIMITED } from './reserve'
import { RequestRecord } from './request-record'
import { readGeneration } from './translation'
import { readTimeout } from './read-timeout'
import { turn, type TurnRequest } from './turn'
import { type RequestHolds, turnByPolicy } from './turn-by-policy'

/** One request under way: what its stages share, and what must be given back when it ends. */
export class Exchange implements BodyHolder {
  readonly #parts: GatewayParts
  readonly #settings: GatewaySettings
  readonly #protocol: Protocol
  readonly #call: ClientCall
  readonly record = new RequestRecord()
  readonly #presence: Presence
  #heldBytes = 0
  #isAdmitted = false
  #hasLeft = false
  #bodies: BodyKeeper | undefined
  #caller: Caller | undefined
  #envelope: Envelope | undefined
  #read: ReadForm | undefined
  #grant: Grant | undefined
  /** What the journal knows to be held. */
  #held: HeldRecord | undefined
  #inputBound: InputBound | undefined
  #generation: Generation | undefined
  #inlined: Promise<Generation> | undefined
  /** The response that it makes, where its provider keeps it. */
  kept: KeptAtProvider | undefined

  constructor(parts: GatewayParts, protocol: Protocol, call: ClientCall) {
    this.#parts = parts
    this.#settings = parts.settings()
    this.#protocol = protocol
    this.#call = call
    this.#presence = new Presence(call, parts.ticker, this.record.startedAt)
    this.record.api = protocol.name
    this.record.operation = protocol.operation
    this.record.clientRequestId = call.clientRequestId
  }

  authenticate(): void {
    this.#parts.admission.enter()
    this.#isAdmitted = true
    this.#parts.log.assertWritable()
    this.#caller = this.#parts.authenticate(this.#call.token, (name) => this.#call.header(name))
    this.record.keyId = this.#caller?.id
    this.record.keyName = this.#caller?.name
  }

  read(): Promise<Envelope> {
    this.record.beginWait()
    if (this.#protocol.client.parseForm && this.#call.isForm) return this.#readForm()
    return this.#call.readBody(this).then((body) => this.#takeBody(body))
  }

  #takeBody(body: Uint8Array): Envelope {
    this.record.endWait()
    this.record.bodyBytes = body.length
    const envelope = readEnvelope(this.#protocol, body, this.#call.route)
    this.record.stream = envelope.stream
    this.record.serviceTier = envelope.serviceTier
    this.#keep(body)
    return this.restate(envelope)
  }

  #keep(body: Uint8Array | ReadForm['form']): void {
    if ((this.#caller?.bodies ?? this.#settings.logBodies) === 'full')
      this.#bodies = new BodyKeeper(body, this.#settings.maxLoggedBodyBytes)
  }

  /** Its files are let go of when the request is done. */
  async #readForm(): Promise<Envelope> {
    this.#read = await this.#call.readForm(this)
    this.record.endWait()
    const { form } = this.#read
    this.record.bodyBytes = form.length
    const envelope = this.#protocol.client.parseForm?.(form, this.#call.route)
    if (envelope === undefined) throw new Error(`${this.#protocol.name} reads no forms`)
    this.record.stream = envelope.stream
    this.#keep(form)
    return this.restate(envelope)
  }

  hold(bytes: number): void {
    this.#parts.admission.hold(bytes)
    this.#heldBytes += bytes
  }

  /** `keeper`: the response that it goes on from. */
  plan(envelope: Envelope, keeper?: OwnedObject | undefined): Plan {
    const planned = this.#parts.plan({
      caller: this.#caller,
      envelope,
      boundTokens: () => this.#boundInput(envelope).tokens,
      call: this.#call,
    })
    const plan = keeper === undefined ? planned : planAtKeeper(planned, keeper)
    return (this.record.plan = plan)
  }

  /** Goes where what is asked for is kept. */
  pin(target: Target): Plan {
    return (this.record.plan = toPlainPlan(target))
  }

  /** Who calls; `undefined` where no key is asked for. */
  get caller(): Caller | undefined {
    return this.#caller
  }

  /** What is read of the request anew, once more is known of it. */
  restate(envelope: Envelope): Envelope {
    this.record.requestedModel = envelope.model
    return (this.#envelope = envelope)
  }

  #boundInput({ body, inputTokens, keptTokens }: Envelope): InputBound {
    if (inputTokens !== undefined) return { tokens: inputTokens, searches: 0 }
    return (this.#inputBound ??= boundInput(body, keptTokens))
  }

  /** Whose request it is, and by which limits it counts. */
  govern(envelope: Envelope): GovernedRequest {
    const labels = this.#call.labels()
    const user = labels.user ?? envelope.user
    return this.#parts.governed(this.#caller, { ...labels, user })
  }

  /** Counts the request by its caller's limits. Throws `rate_limit_exceeded`. */
  admit(request: GovernedRequest): void {
    this.#grant = this.#parts.governor.admit(request)
    // Whoever is not admitted leaves no entry in the ledger.
    this.record.of = request.of
    this.record.admittedAtMs = this.#grant.admittedAtMs
  }

  /** Holds what a target may cost. With the first one the request begins: both are written down as one. */
  #reserve(planned: PlannedTarget, envelope: Envelope, bound?: InputBound): Reservation {
    const reservation = this.#holdFor(planned, envelope, bound)
    const held = toHeldRecord(planned.target, reservation)
    if (held) this.#held = held
    if (!this.record.hasBegun) this.#begin(held)
    else if (held) this.#parts.log.hold({ kind: 'hold', requestId: this.record.id, ...held })
    return reservation
  }

  #holdFor(planned: PlannedTarget, envelope: Envelope, bound: InputBound | undefined): Reservation {
    const grant = this.#grant
    if (grant === undefined) throw new Error('the request was not admitted')
    const isHeld = envelope.direct === undefined || envelope.direct.isCharged === true
    if (grant.isUnlimited || !isHeld || isFree(envelope.operation)) return UNLIMITED
    return reserve(grant, planned, envelope, bound ?? this.#boundInput(envelope))
  }

  /** What is held, for a turn that settles several attempts. */
  #toHolds(envelope: Envelope): RequestHolds {
    const { log, estimator } = this.#parts
    const grant = this.#grant
    if (grant === undefined) throw new Error('the request was not admitted')
    const options = { log, estimator, record: this.record, prompt: () => this.#promptText() }
    return {
      bound: () => this.#boundInput(envelope),
      fork: () => new AttemptHold({ ...options, grant: grant.fork() }),
      exchange: (hold) => {
        const held = this.#held
        grant.exchange(hold.grant)
        this.#held = hold.held
        hold.held = held
      },
      reserve: (planned, shortened, bound) => this.#reserve(planned, shortened, bound),
    }
  }

  turn(envelope: Envelope, plan: Plan) {
    const request: TurnRequest = {
      protocol: this.#protocol,
      envelope,
      plan,
      failover: this.#settings.failover,
      timeoutMs: readTimeout(this.#call),
      reserve: (planned) => this.#reserve(planned, envelope),
      generation: () => this.#readGeneration(envelope),
      withMedia: (dialect) => this.#withMedia(envelope, dialect),
      call: this.#call,
      presence: this.#presence,
      record: this.record,
    }
    return plan.policy === undefined
      ? turn(this.#parts, request)
      : turnByPolicy(this.#parts, request, plan.policy, this.#toHolds(envelope))
  }

  #withMedia(envelope: Envelope, dialect: string): Promise<Generation> | undefined {
    const { fetchMedia } = this.#settings
    const generation = this.#readGeneration(envelope)
    if (fetchMedia === undefined || !wantsMedia(dialect, generation)) return undefined
    return (this.#inlined ??= inlineMedia(generation, fetchMedia))
  }

  #readGeneration(envelope: Envelope): Generation {
    if (!isChat(this.#protocol)) throw new Error(`${this.#protocol.name} is no format of chats`)
    this.#generation ??= readGeneration(this.#protocol, envelope, this.#call.route)
    return this.#generation
  }

  /** Notes what the answer used and cost, at once where the provider counted it. */
  meter(
    facts: AnswerFacts | undefined,
    error: GatewayError | undefined
  ): Promise<void> | undefined {
    // What is kept is paid for when it is made, and a batch when it is done.
    const direct = this.#envelope?.direct
    const isCounted = !(direct && !direct.isCharged) && !this.kept?.goesOn(facts)
    this.record.facts = isCounted ? facts : undefined
    const metering = meter(this.#parts.estimator, {
      record: this.record,
      isCut: error !== undefined,
      prompt: () => this.#promptText(),
      units: this.#envelope?.units,
      estimate: this.#envelope?.estimate,
    })
    const { settling } = this.record
    return settling ? settling.then(() => metering) : metering
  }

  #promptText(): PromptText {
    const envelope = this.#envelope
    if (envelope === undefined) return { texts: [], otherTokens: 0 }
    try {
      if (isChat(this.#protocol)) return toPromptText(this.#readGeneration(envelope))
    } catch {
      // What leans on a conversation that its provider keeps is counted by what is there.
    }
    return { texts: [new TextDecoder().decode(envelope.body)], otherTokens: 0 }
  }

  /** An answer that no upstream had part in. */
  answerOwn(value: unknown): Answer {
    const body = JSON.stringify(value)
    const facts = { usage: undefined, finishReasons: [] }
    return this.answer({ kind: 'whole', status: 200, headers: {}, body: Buffer.from(body), facts })
  }

  answer({ status, headers, body }: WholeAnswer): Answer {
    this.#noteHead(headers)
    this.#bodies?.append(body)
    this.record.answerBytes = body.length
    headers['content-type'] ??= 'application/json'
    this.#end(status, undefined)
    return { status, headers, body }
  }

  async stream(turning: Promise<UpstreamAnswer>): Promise<Answer> {
    const arriving = turning.then(toStreamed)
    const answer = await holdHead(arriving, this.#parts.ticker, this.#settings.headHoldMs)
    const headers = answer?.headers ?? {}
    this.#noteHead(headers)
    headers['content-type'] = this.#protocol.client.streamType
    headers['cache-control'] = 'no-cache'
    headers['x-accel-buffering'] = 'no'
    return { status: 200, headers, body: this.#relay(answer ?? arriving, true) }
  }

  /** A whole answer that is too large to be held. */
  pass(answer: StreamedAnswer): Answer {
    const { headers } = answer
    this.#noteHead(headers)
    headers['content-type'] ??= 'application/json'
    return { status: 200, headers, body: this.#relay(answer, false) }
  }

  #relay(answer: StreamedAnswer | Promise<StreamedAnswer>, hasFrames: boolean) {
    const record = this.record
    const { heartbeatMs, clientStallMs } = this.#settings
    const body = relay(answer, {
      ticker: this.#parts.ticker,
      client: hasFrames ? this.#protocol.client : undefined,
      requestId: record.id,
      heartbeatMs,
      clientStallMs,
      onBytes: (bytes) => {
        record.answerBytes += bytes.length
        this.#bodies?.append(bytes)
      },
      onContent: () => {
        record.firstTokenMs = record.elapsedMs()
      },
      onEnd: (error, facts) => {
        this.#leave()
        const metering = this.meter(facts, error)
        if (metering) return metering.then(() => end(error))
        end(error)
        return undefined
      },
    })
    const end = (error: GatewayError | undefined) => {
      if (error?.code === 'internal_error') this.#parts.report(record.id, error.cause ?? error)
      this.#end(error?.code === 'client_closed' ? error.status : 200, error)
      this.#parts.log.write()
    }
    return body
  }

  fail(thrown: unknown): Answer {
    const error = this.#presence.hasLeft
      ? new GatewayError('client_closed', 'the client closed the connection')
      : GatewayError.from(thrown)
    if (error.code === 'internal_error') this.#parts.report(this.record.id, error.cause ?? error)
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      ...error.headers,
      ...this.#protocol.client.errorHeaders?.(error),
    }
    if (error.retryAfterSeconds !== undefined)
      headers['retry-after'] = String(error.retryAfterSeconds)
    if (error.shouldRetry !== undefined) headers['x-should-retry'] = String(error.shouldRetry)
    this.#noteHead(headers)
    const body = this.#protocol.client.renderError(error, this.record.id)
    if (error.code !== 'client_closed') this.record.answerBytes = body.length
    this.#end(error.status, error)
    return { status: error.status, headers, body }
  }

  #begin(held: HeldRecord | undefined): void {
    this.record.hasBegun = true
    this.#presence.await()
    this.#parts.log.begin(this.record.toBegin(held))
  }

  #noteHead(headers: Record<string, string>): void {
    noteHead(headers, this.record, this.#protocol, this.#grant)
  }

  /** Makes room for another; what is left to do is bookkeeping. Only the first call counts. */
  #leave(): void {
    if (this.#hasLeft) return
    this.#hasLeft = true
    this.#presence.end()
    this.#grant?.leave()
    if (this.#isAdmitted) this.#parts.admission.leave(this.#heldBytes)
  }

  /** Writes the request down, its begin too where nobody could be asked, and gives back what it held; only once. */
  #end(status: number, error: GatewayError | undefined): void {
    const record = this.record
    if (record.hasEnded) return
    record.hasEnded = true
    this.#read?.dispose()
    if (this.#grant && !record.hasBegun) this.#begin(undefined)
    this.#leave()
    this.kept?.end()
    const { log } = this.#parts
    if (this.#grant) settle(this.#grant, record, log)
    if (!record.hasBegun) {
      const outcome = error?.code === 'client_closed' ? 'cancelled' : 'refused'
      log.refused(record.toBegin(), record.toEnd(status, outcome, error))
      return
    }
    if (this.#bodies) log.bodies(this.#bodies.toRecord(record.id))
    log.end(record.toEnd(status, toOutcome(error), error))
  }
}
