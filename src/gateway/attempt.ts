import { GatewayError } from '../errors/gateway-error'
import { applyParams } from '../protocols/apply-params'
import { type ChatProtocol, isChat } from '../protocols/chat-protocol'
import { type FormBody, withParams } from '../protocols/form'
import type { Generation } from '../protocols/generation'
import type { AnswerFacts, FrameReader, Protocol, RequestChanges } from '../protocols/protocol'
import { type CredentialFault, faultOf } from '../providers/credential-fault'
import type { Deadlines } from '../providers/deadlines'
import { toPath } from '../providers/provider'
import { BegunBody, readHeldBody, readWholeBody } from '../providers/read-body'
import type { ResendReason, SendResult } from '../providers/send'
import type { AnswerHeaders, UpstreamResponse } from '../providers/upstream-response'
import { classifyFailure, type Failure } from '../routing/health/classify-failure'
import type { HealthCall } from '../routing/health/health-call'
import type { RouteParams } from '../config/route-settings'
import type { Target } from '../routing/target'
import type { AnswerStream, UpstreamAnswer } from './answer'
import { createDeadlines } from './attempt-deadlines'
import { blameCaller, tooLossy } from './attempt-errors'
import { toAttemptRecord } from './attempt-record'
import type { AttemptContext, AttemptOf, AttemptRequest, AttemptResult } from './attempt-request'
import type { RetryReason } from './attempt-request'
import { ConvertedCall, type ToldCall } from './converted-call'
import { estimateCount } from './estimate-count'
import { toPassedHeaders } from './passed-headers'
import { saidIn } from './said-in'
import { assertFile, isDeclared, passAnswerHeaders } from './file-answer'
import { LargeAnswer } from './large-answer'
import { createPlainReader } from './plain-reader'
import { mendBody, observeAnswer, Translation } from './translation'
import { readUpstreamRequestId } from './upstream-request-id'
import { UpstreamStream } from './upstream-stream'
import { chooseWire, type Wire } from './wire'

/** A larger answer has its head leave, unless it has to be read as a whole. */
const HELD_BYTES = 4 * 1024 * 1024
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const MAX_ERROR_BYTES = 256 * 1024

/** One call of one target. Its facts are appended to the record when it ends, however it ends. */
export function attempt(
  context: AttemptContext,
  request: AttemptRequest,
  of: AttemptOf
): Promise<AttemptResult> {
  return new UpstreamCall(context, request, of).run()
}

/** The client's patience ended: that says nothing of the target. */
const OUT_OF_TIME: Failure = { kind: 'client', cause: undefined, retryAfterMs: undefined }

/** Its client is served, and waits no more: nobody is to blame. */
const LOST = new GatewayError('client_closed', 'another target answered first')

const NO_FAILURE: Failure = { kind: 'policy', cause: undefined, retryAfterMs: undefined }

type SentWire = Exclude<Wire, { kind: 'estimated' }>
type ToldWire = Exclude<SentWire, { kind: 'same' }>

/** The same for who may have to end it: nothing is sent before it is run. */
export class UpstreamCall {
  readonly #context: AttemptContext
  readonly #request: AttemptRequest
  readonly #target: Target
  readonly #params: RouteParams | undefined
  readonly #retryOf: RetryReason | undefined
  readonly #health: HealthCall
  #failure: Failure = NO_FAILURE
  #fault: CredentialFault | undefined
  readonly #deadlines: Deadlines
  readonly #changes: RequestChanges
  #upstream: Protocol
  #translation: ToldCall | undefined
  #inlined: Generation | undefined
  readonly #startedAt = performance.now()
  #headAt: number | undefined
  #status: number | undefined
  #headers: AnswerHeaders | undefined
  #upstreamRequestId: string | undefined
  #number = 0
  #isClosed = false

  constructor(context: AttemptContext, request: AttemptRequest, of: AttemptOf) {
    const { target, params, retryOf, health } = of
    const { provider, upstreamModel } = target
    const { configuration } = provider
    this.#context = context
    this.#request = request
    this.#upstream = request.protocol
    this.#target = target
    this.#params = params
    this.#retryOf = retryOf
    this.#health = health
    this.#deadlines = createDeadlines(provider, request, context.sender.isCold(provider))
    this.#changes = {
      model: upstreamModel,
      askForUsage:
        request.envelope.stream && !request.envelope.includesUsage && configuration.includeUsage,
      anthropicVersion: configuration.quirks.anthropicVersionInBody,
    }
  }

  async run(): Promise<AttemptResult> {
    const { presence, record } = this.#request
    this.#number = ++record.begunAttempts
    presence.attend(this.#deadlines)
    record.beginWait()
    record.losses = undefined
    try {
      const wire = this.#chooseWire()
      if (wire.kind === 'estimated') return { ok: true, answer: this.#estimate(wire.client) }
      const inlining = wire.kind === 'translated' && this.#request.withMedia(wire.upstream.dialect)
      if (inlining) this.#inlined = await inlining
      const sent = await this.#send(wire)
      if (!sent.ok) {
        this.close(sent.error)
        return this.#failed(sent.error, sent.resend)
      }
      const { response, signed } = sent
      if (this.#isStream(response)) return { ok: true, answer: await this.#openStream(response) }
      const body = await this.#readBody(response)
      if (body instanceof BegunBody) return { ok: true, answer: this.#openLarge(response, body) }
      if (!response.ok) return this.#refused(response, body, signed)
      return { ok: true, answer: this.#toWhole(response, body) }
    } catch (error) {
      const failure = GatewayError.from(error)
      this.close(failure)
      this.#deadlines.abort(failure)
      return this.#failed(failure)
    }
  }

  #failed(error: GatewayError, resend?: ResendReason | undefined): AttemptResult {
    return { ok: false, error, failure: this.#failure, fault: this.#fault, resend }
  }

  /** What is gone on with is told anew, in whichever format. */
  #chooseWire(): Wire {
    const { protocol, continuity, envelope } = this.#request
    if (envelope.direct) return { kind: 'same', upstream: protocol }
    const wire = chooseWire(protocol, this.#target, envelope)
    if (wire.kind !== 'same' || continuity?.isGoingOn !== true) return wire
    const { upstream } = wire
    if (!isChat(protocol) || !isChat(upstream)) return wire
    return { kind: 'translated', client: protocol, upstream }
  }

  /** Throws what can't be said to this target. */
  #send(wire: SentWire): Promise<SendResult> {
    const { envelope, call } = this.#request
    const { provider, upstreamModel } = this.#target
    this.#upstream = wire.upstream
    const body = this.#renderForm(wire) ?? this.#render(wire, call.isStrict)
    return this.#context.sender.send({
      provider,
      format: wire.upstream.spokenBy ?? wire.upstream.name,
      method: envelope.direct?.method,
      path: toPath(provider, wire.upstream, {
        model: upstreamModel,
        stream: envelope.stream,
        resource: envelope.direct?.path,
      }),
      body: envelope.direct && body.length === 0 ? undefined : body,
      headers: toPassedHeaders(call, provider, wire.kind === 'same'),
      deadlines: this.#deadlines,
      fresh: this.#retryOf === 'connection_reset',
    })
  }

  #renderForm({ upstream }: SentWire): FormBody | undefined {
    const { form } = this.#request.envelope
    return form && upstream.upstream.renderForm?.(withParams(form, this.#params), this.#changes)
  }

  #render(wire: SentWire, isStrict: boolean): Uint8Array {
    const body =
      wire.kind === 'same' ? this.#renderSame(wire.upstream) : this.#translate(wire, isStrict)
    return this.#withParams(body, wire.upstream)
  }

  #renderSame(upstream: Protocol): Uint8Array {
    const body = upstream.upstream.renderRequest(this.#request.envelope, this.#changes)
    return mendBody(body, this.#target, this.#context.memory)
  }

  #withParams(body: Uint8Array, upstream: Protocol): Uint8Array {
    if (this.#params === undefined || upstream.operation === 'count') return body
    const applied = applyParams(body, this.#params, upstream.name)
    return mendBody(applied, this.#target, this.#context.memory)
  }

  #translate(wire: ToldWire, isStrict: boolean): Uint8Array {
    const told = this.#tell(wire)
    this.#translation = told
    this.#request.record.losses = told.losses
    const body = mendBody(told.renderRequest(), this.#target, this.#context.memory)
    if (isStrict && !told.losses.isEmpty) throw tooLossy(this.#target.name, told.losses)
    return body
  }

  #tell(wire: ToldWire): ToldCall {
    const target = this.#target
    if (wire.kind === 'converted') return new ConvertedCall(wire.conversion, target.upstreamModel)
    const { client, upstream } = wire
    const { record, continuity } = this.#request
    const generation = this.#inlined ?? this.#request.generation()
    return new Translation({
      ...{ client, upstream, target },
      generation: continuity?.toContinued(generation, upstream, target) ?? generation,
      memory: this.#context.memory,
      requestId: record.id,
      startedAtMs: record.startedAtMs,
    })
  }

  #isStream(response: UpstreamResponse): boolean {
    this.#headAt = performance.now()
    this.#status = response.status
    this.#headers = response.headers
    const { requestIdHeader } = this.#upstream.client
    this.#upstreamRequestId = readUpstreamRequestId(response.headers, requestIdHeader)
    if (!this.#request.envelope.stream || !response.ok) return false
    const type = response.headers.get('content-type')
    return type?.startsWith(this.#upstream.upstream.streamType) ?? false
  }

  /** Its number among those of its request, once it runs. */
  get number(): number {
    return this.#number
  }

  /** Another one of its request has answered first: that says nothing of this target. */
  lose(): void {
    this.#health.left()
    this.close(LOST)
    this.#deadlines.abort(LOST)
  }

  /** Ends the attempt and writes down how. Only the first call counts. */
  close(error: GatewayError | undefined, facts?: AnswerFacts | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#deadlines.vacate()
    this.#tellHealth(error, facts)
    const { record, presence } = this.#request
    presence.attend(undefined)
    record.endWait()
    const entry = toAttemptRecord({
      requestId: record.id,
      number: this.#number,
      target: this.#target,
      requestStartedAt: record.startedAt,
      startedAt: this.#startedAt,
      headAt: this.#headAt,
      status: this.#status,
      error,
      isLost: error === LOST,
      upstreamRequestId: this.#upstreamRequestId,
      retryOf: this.#retryOf,
    })
    record.attempts.push(entry)
    this.#context.log.attempt(entry)
  }

  #tellHealth(error: GatewayError | undefined, facts: AnswerFacts | undefined): void {
    if (error === undefined) {
      this.#health.succeeded({ outputTokens: facts?.usage?.outputTokens })
      return
    }
    const { timeoutMs, record } = this.#request
    const isImpatient = timeoutMs !== undefined && record.elapsedMs() >= timeoutMs
    this.#failure = isImpatient ? OUT_OF_TIME : classifyFailure(error, Date.now(), this.#headers)
    if (this.#target.provider.credentialName !== undefined)
      this.#fault = faultOf(error, this.#failure, this.#status)
    // Another credential may find the target well.
    if (this.#fault) this.#health.left()
    else this.#health.failed(this.#failure)
  }

  #readBody(response: UpstreamResponse): Promise<Uint8Array | BegunBody> {
    this.#deadlines.awaitBody()
    const isPassedOn = this.#translation === undefined && !this.#isObserved
    if (response.ok && isPassedOn && !this.#request.envelope.stream) {
      // A file that is only being made is awaited by somebody who listens.
      const isFile = this.#upstream.upstream.answers === 'file' && !isDeclared(response)
      return readHeldBody(response, this.#deadlines, isFile ? 0 : HELD_BYTES)
    }
    const maxBytes = response.ok ? MAX_ANSWER_BYTES : MAX_ERROR_BYTES
    return readWholeBody(response, this.#deadlines, maxBytes)
  }

  /** The upstream's own error. A credential that ended between its making and its use is not the request's. */
  #refused(
    response: UpstreamResponse,
    body: Uint8Array,
    signed: Readonly<Record<string, string>> | undefined
  ): AttemptResult {
    const { provider } = this.#target
    const { status } = response
    const refusal = { status, headers: this.#pass(response), body }
    const said = this.#upstream.upstream.parseError(provider.name, refusal)
    const error = provider.configuration.passesCallerKey ? blameCaller(said, status) : said
    this.close(error)
    if (!provider.credential || (status !== 401 && status !== 403)) return this.#failed(error)
    provider.credential.refused({ signed, date: response.headers.get('date') })
    return this.#failed(error, 'credential_refused')
  }

  #toWhole(response: UpstreamResponse, body: Uint8Array): UpstreamAnswer {
    const { envelope } = this.#request
    const { provider } = this.#target
    const { status } = response
    if (this.#upstream.upstream.answers === 'file') assertFile(provider.name, body)
    const answer = this.#translation?.renderAnswer(body) ?? this.#readSame(body)
    if (answer.facts.usage === undefined) answer.facts.said ??= saidIn(this.#upstream, body)
    if (envelope.stream)
      throw new GatewayError(
        'upstream_malformed',
        `the provider '${provider.name}' answered a streamed request with a whole answer`
      )
    this.close(undefined)
    return { kind: 'whole', status, headers: this.#pass(response), ...answer }
  }

  /** A count of tokens that no upstream was asked for. */
  #estimate(client: ChatProtocol): UpstreamAnswer {
    const { answer, losses } = estimateCount(client, this.#request.generation())
    this.#request.record.losses = losses
    this.#health.left()
    this.close(undefined)
    return answer
  }

  #readSame(body: Uint8Array): { body: Uint8Array; facts: AnswerFacts } {
    const facts = this.#upstream.upstream.parseAnswer(body)
    if (this.#isObserved && isChat(this.#upstream))
      observeAnswer(this.#upstream, body, this.#context.memory)
    return { body, facts }
  }

  get #isObserved(): boolean {
    return this.#target.provider.configuration.quirks.wantsReasoningBack === true
  }

  #pass(response: UpstreamResponse): Record<string, string> {
    return passAnswerHeaders(response, this.#upstream.upstream, this.#translation !== undefined)
  }

  #createFrameReader(): FrameReader {
    const { protocol, continuity } = this.#request
    if (this.#translation) return this.#translation.createFrameReader(continuity)
    const frames = this.#readFrames()
    if (continuity === undefined || !isChat(protocol) || !isChat(this.#upstream)) return frames
    const { id: requestId, startedAtMs } = this.#request.record
    const model = this.#target.upstreamModel
    const told = { requestId, startedAtMs, model, generation: this.#request.generation() }
    return continuity.gather(frames, { client: protocol, upstream: this.#upstream, told })
  }

  #readFrames(): FrameReader {
    const memory = this.#isObserved ? this.#context.memory : undefined
    return createPlainReader(this.#request, this.#upstream, this.#changes, memory)
  }

  #openLarge(response: UpstreamResponse, body: BegunBody): UpstreamAnswer {
    this.#health.firstToken()
    const { parseAnswer: parse, answers } = this.#upstream.upstream
    const isFile = answers !== undefined
    const stream = new LargeAnswer({ body, deadlines: this.#deadlines, parse, isFile })
    return this.#toOpen(response, stream, [body.begun])
  }

  async #openStream(response: UpstreamResponse): Promise<UpstreamAnswer> {
    const framer = this.#upstream.upstream.createFramer()
    const stream = new UpstreamStream(response, framer, this.#createFrameReader(), this.#deadlines)
    const held = await stream.readToContent()
    this.#health.firstToken()
    return this.#toOpen(response, stream, held)
  }

  #toOpen(response: UpstreamResponse, stream: AnswerStream, held: Uint8Array[]): UpstreamAnswer {
    // From here on the relay looks at the deadlines, since only it knows whether a frame is awaited.
    this.#request.presence.attend({
      tick() {},
      abort: (reason) => this.#deadlines.abort(reason),
    })
    this.#request.record.endWait()
    return {
      kind: 'stream',
      headers: this.#pass(response),
      stream,
      held,
      attempt: {
        tick: (nowMs) => this.#deadlines.tick(nowMs),
        abort: (reason) => this.#deadlines.abort(reason),
        close: (error, facts) => this.close(error, facts),
      },
    }
  }
}
