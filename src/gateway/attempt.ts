import { GatewayError } from '../errors/gateway-error'
import type { Envelope } from '../protocols/envelope'
import type { Protocol, RequestChanges } from '../protocols/protocol'
import { Deadlines } from '../providers/deadlines'
import { readWholeBody } from '../providers/read-body'
import type { ResendReason, Sender, SendResult } from '../providers/send'
import type { Target } from '../routing/target'
import type { AttemptRecord } from '../telemetry/records'
import { passHeaders, type UpstreamAnswer } from './answer'
import type { Presence } from './client-call'
import type { RequestRecord } from './request-record'
import { UpstreamStream } from './upstream-stream'

const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const MAX_ERROR_BYTES = 256 * 1024

export type AttemptContext = {
  sender: Sender
  log: { attempt(record: AttemptRecord): void }
}

export type AttemptRequest = {
  protocol: Protocol
  envelope: Envelope
  passedHeaders: Readonly<Record<string, string>> | undefined
  presence: Presence
  record: RequestRecord
}

export type AttemptResult =
  | { ok: true; answer: UpstreamAnswer }
  | { ok: false; error: GatewayError; resend: ResendReason | undefined }

/**
 * One call of one target. Its facts are appended to the record when it ends, however it ends. `resendOf`
 * says why the attempt before it is repeated.
 */
export function attempt(
  context: AttemptContext,
  request: AttemptRequest,
  target: Target,
  resendOf: ResendReason | undefined
): Promise<AttemptResult> {
  return new UpstreamCall(context, request, target, resendOf).run()
}

class UpstreamCall {
  readonly #context: AttemptContext
  readonly #request: AttemptRequest
  readonly #target: Target
  readonly #resendOf: ResendReason | undefined
  readonly #deadlines: Deadlines
  readonly #changes: RequestChanges
  readonly #startedAt = performance.now()
  #headAt: number | undefined
  #status: number | undefined
  #upstreamRequestId: string | undefined
  #isClosed = false

  constructor(
    context: AttemptContext,
    request: AttemptRequest,
    target: Target,
    resendOf: ResendReason | undefined
  ) {
    const { provider, upstreamModel } = target
    const { name, configuration } = provider
    this.#context = context
    this.#request = request
    this.#target = target
    this.#resendOf = resendOf
    this.#deadlines = new Deadlines(
      name,
      configuration.deadlines,
      request.record.startedAt,
      context.sender.isCold(provider)
    )
    this.#changes = {
      model: upstreamModel,
      askForUsage:
        request.envelope.stream && !request.envelope.includesUsage && configuration.includeUsage,
    }
  }

  async run(): Promise<AttemptResult> {
    const { presence, record } = this.#request
    presence.attend(this.#deadlines)
    record.beginWait()
    try {
      const sent = await this.#send()
      if (!sent.ok) {
        this.close(sent.error)
        return sent
      }
      const { response } = sent
      if (this.#isStream(response)) return { ok: true, answer: await this.#openStream(response) }
      const body = await this.#readBody(response)
      return { ok: true, answer: this.#toWhole(response, body) }
    } catch (error) {
      const failure = GatewayError.from(error)
      this.close(failure)
      return { ok: false, error: failure, resend: undefined }
    }
  }

  #send(): Promise<SendResult> {
    const { protocol, envelope, passedHeaders } = this.#request
    return this.#context.sender.send({
      provider: this.#target.provider,
      path: protocol.upstream.path,
      body: protocol.upstream.renderRequest(envelope, this.#changes),
      headers: passedHeaders,
      deadlines: this.#deadlines,
      fresh: this.#resendOf === 'connection_reset',
    })
  }

  #isStream(response: Response): boolean {
    this.#headAt = performance.now()
    this.#status = response.status
    this.#upstreamRequestId = response.headers.get('x-request-id') ?? undefined
    if (!this.#request.envelope.stream || !response.ok) return false
    return response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
  }

  /** Ends the attempt and writes down how. Only the first call counts. */
  close(error: GatewayError | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const { record, presence } = this.#request
    const target = this.#target
    const resendOf = this.#resendOf
    presence.attend(undefined)
    record.endWait()
    const entry: AttemptRecord = {
      kind: 'attempt',
      requestId: record.id,
      number: record.attempts.length + 1,
      provider: target.provider.name,
      model: target.upstreamModel,
      startedAfterMs: this.#startedAt - record.startedAt,
      durationMs: performance.now() - this.#startedAt,
      headMs: this.#headAt === undefined ? undefined : this.#headAt - this.#startedAt,
      status: this.#status,
      outcome: error ? (error.code === 'client_closed' ? 'cancelled' : 'failed') : 'ok',
      errorCode: error?.code,
      errorMessage: error && (error.detail ?? error.message),
      upstreamRequestId: this.#upstreamRequestId,
      retryOf: resendOf,
      possiblyBilledTwice: resendOf === 'connection_reset',
    }
    record.attempts.push(entry)
    this.#context.log.attempt(entry)
  }

  #readBody(response: Response): Promise<Uint8Array> {
    this.#deadlines.headArrived()
    const maxBytes = response.ok ? MAX_ANSWER_BYTES : MAX_ERROR_BYTES
    return readWholeBody(response, this.#deadlines, maxBytes)
  }

  #toWhole(response: Response, body: Uint8Array): UpstreamAnswer {
    const { protocol, envelope } = this.#request
    const { provider } = this.#target
    const { status } = response
    if (!response.ok)
      throw protocol.upstream.parseError(provider.name, {
        status,
        headers: passHeaders(response.headers),
        body,
      })
    const facts = protocol.upstream.parseAnswer(body)
    if (envelope.stream)
      throw new GatewayError(
        'upstream_malformed',
        `the provider '${provider.name}' answered a streamed request with a whole answer`
      )
    this.close(undefined)
    return { kind: 'whole', status, headers: passHeaders(response.headers), body, facts }
  }

  async #openStream(response: Response): Promise<UpstreamAnswer> {
    const { protocol, envelope } = this.#request
    const frames = protocol.upstream.createFrameReader(envelope, this.#changes)
    const body = response.body ?? new Blob([]).stream()
    const stream = new UpstreamStream(body, frames, this.#deadlines)
    const held = await stream.readToContent()
    // From here on the relay looks at the deadlines, since only it knows whether a frame is awaited.
    this.#request.presence.attend({
      tick() {},
      abort: (reason) => this.#deadlines.abort(reason),
    })
    this.#request.record.endWait()
    return {
      kind: 'stream',
      headers: passHeaders(response.headers),
      stream,
      held,
      attempt: {
        tick: (nowMs) => this.#deadlines.tick(nowMs),
        abort: (reason) => this.#deadlines.abort(reason),
        close: (error) => this.close(error),
      },
    }
  }
}
