import { GatewayError } from '../errors/gateway-error'
import type { Envelope } from '../protocols/envelope'
import type { Protocol, RequestChanges } from '../protocols/protocol'
import { Deadlines } from '../providers/deadlines'
import { readWholeBody } from '../providers/read-body'
import type { ResendReason, Sender } from '../providers/send'
import type { Target } from '../routing/target'
import type { Ticker } from '../std/ticker'
import type { AttemptRecord } from '../telemetry/records'
import { passHeaders, type UpstreamAnswer } from './answer'
import type { Presence } from './client-call'
import { holdHead } from './hold-head'
import type { RequestRecord } from './request-record'
import { UpstreamStream } from './upstream-stream'

const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const MAX_ERROR_BYTES = 256 * 1024

export type AttemptContext = {
  sender: Sender
  ticker: Ticker
  /** How long a stream's head waits for its first meaningful frame. */
  headHoldMs: number
  log(attempt: AttemptRecord): void
}

export type AttemptRequest = {
  protocol: Protocol
  envelope: Envelope
  target: Target
  passedHeaders: Readonly<Record<string, string>>
  presence: Presence
  record: RequestRecord
  /** Why the attempt before this one is repeated. */
  resendOf: ResendReason | undefined
}

export type AttemptResult =
  | { ok: true; answer: UpstreamAnswer }
  | { ok: false; error: GatewayError; resend: ResendReason | undefined }

/** One call of one target. Its facts are appended to the record when it ends, however it ends. */
export async function attempt(
  context: AttemptContext,
  request: AttemptRequest
): Promise<AttemptResult> {
  const call = new UpstreamCall(context, request)
  try {
    return await call.run()
  } catch (error) {
    const failure = GatewayError.from(error)
    call.close(failure)
    return { ok: false, error: failure, resend: undefined }
  }
}

class UpstreamCall {
  readonly #context: AttemptContext
  readonly #request: AttemptRequest
  readonly #deadlines: Deadlines
  readonly #changes: RequestChanges
  readonly #startedAt = performance.now()
  #headAt: number | undefined
  #status: number | undefined
  #upstreamRequestId: string | undefined
  #isClosed = false

  constructor(context: AttemptContext, request: AttemptRequest) {
    const { provider, upstreamModel } = request.target
    const { name, configuration } = provider
    this.#context = context
    this.#request = request
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
    const { protocol, envelope, target, passedHeaders, presence, record, resendOf } = this.#request
    presence.onLeave((reason) => this.#deadlines.abort(reason))
    this.#context.ticker.add(this.#deadlines)
    const sent = await this.#context.sender.send({
      provider: target.provider,
      path: protocol.upstream.path,
      body: protocol.upstream.renderRequest(envelope, this.#changes),
      headers: passedHeaders,
      deadlines: this.#deadlines,
      fresh: resendOf === 'connection_reset',
    })
    if (!sent.ok) {
      record.waitedMs += performance.now() - this.#startedAt
      this.close(sent.error)
      return sent
    }
    const { response } = sent
    this.#headAt = performance.now()
    this.#status = response.status
    this.#upstreamRequestId = response.headers.get('x-request-id') ?? undefined
    const isStream =
      response.ok &&
      envelope.stream &&
      (response.headers.get('content-type')?.startsWith('text/event-stream') ?? false)
    const answer = isStream
      ? await this.#openStream(response)
      : await this.#readWhole(response, envelope.stream)
    record.waitedMs += performance.now() - this.#startedAt
    return { ok: true, answer }
  }

  /** Ends the attempt and writes down how. Only the first call counts. */
  close(error: GatewayError | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const { record, target, presence, resendOf } = this.#request
    this.#context.ticker.remove(this.#deadlines)
    presence.onLeave(undefined)
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
    this.#context.log(entry)
  }

  async #readWhole(response: Response, wantsStream: boolean): Promise<UpstreamAnswer> {
    const { protocol, target } = this.#request
    this.#deadlines.headArrived()
    const { status } = response
    const maxBytes = response.ok ? MAX_ANSWER_BYTES : MAX_ERROR_BYTES
    const body = await readWholeBody(response, this.#deadlines, maxBytes)
    if (!response.ok)
      throw protocol.upstream.parseError(target.provider.name, {
        status,
        headers: passHeaders(response.headers),
        body,
      })
    const facts = protocol.upstream.parseAnswer(body)
    if (wantsStream)
      throw new GatewayError(
        'upstream_malformed',
        `the provider '${target.provider.name}' answered a streamed request with a whole answer`
      )
    this.close(undefined)
    return { kind: 'whole', status, headers: passHeaders(response.headers), body, facts }
  }

  async #openStream(response: Response): Promise<UpstreamAnswer> {
    const { protocol, envelope } = this.#request
    const frames = protocol.upstream.createFrameReader(envelope, this.#changes)
    const body = response.body ?? new Blob([]).stream()
    const stream = new UpstreamStream(body, frames, this.#deadlines)
    const { held, pending } = await holdHead(stream, this.#context.ticker, this.#context.headHoldMs)
    // From here on the relay looks at the deadlines, since only it knows whether a frame is awaited.
    this.#context.ticker.remove(this.#deadlines)
    return {
      kind: 'stream',
      headers: passHeaders(response.headers),
      stream,
      held,
      pending,
      attempt: {
        tick: (nowMs) => this.#deadlines.tick(nowMs),
        abort: (reason) => this.#deadlines.abort(reason),
        close: (error) => this.close(error),
      },
    }
  }
}
