import { GatewayError } from '../errors/gateway-error'
import type { InputBound } from '../ledger/input-bound'
import type { Reservation } from '../ledger/governor'
import type { Envelope } from '../protocols/envelope'
import type { AnswerFacts, ClientHalf } from '../protocols/protocol'
import { addUsage, type Usage } from '../protocols/usage'
import { chooseAction } from '../routing/health/choose-action'
import { classifyFailure } from '../routing/health/classify-failure'
import type { HealthBook } from '../routing/health/health-book'
import { changePlan, type Plan, type PlannedTarget } from '../routing/plan'
import type { Target } from '../routing/target'
import { type AnswerStream, type OpenAttempt, type StreamedAnswer, toStreamed } from './answer'
import type { UpstreamAnswer } from './answer'
import type { AttemptHold } from './attempt-hold'
import { type Attendance, sleepAttended, type Waiting } from './client-call'
import type { Continuity } from './continuity'
import type { StreamTrail } from './stream-trail'
import type { TurnRequest } from './turn'

/** How often an answer is gone on with. */
const MAX_CONTINUATIONS = 2
/** What a user's turn that asks for it takes, at most. */
const ASKING_TOKENS = 512

export type ContinuingOptions = {
  request: TurnRequest
  continuity: Continuity
  health: HealthBook
  /** The most that the request's input can be billed for. */
  bound(): InputBound
  /** Takes what is held for the attempt at hand, to be settled by itself. */
  detach(): AttemptHold
  /** Holds what an attempt of the target may cost. */
  reserve(planned: PlannedTarget, envelope: Envelope, bound: InputBound): Reservation
  turn(request: TurnRequest): Promise<UpstreamAnswer>
}

/** The answer whose stream, should it break off, another target goes on with. */
export function toContinued(answer: StreamedAnswer, options: ContinuingOptions): StreamedAnswer {
  const stream = new ContinuedStream(answer, options)
  return { ...answer, stream, attempt: stream }
}

/**
 * A stream that goes on where one breaks off. Each of its answers is an attempt of its own; the client reads one stream,
 * with a comment at the seam in formats that have some.
 */
class ContinuedStream implements AnswerStream, OpenAttempt {
  readonly #options: ContinuingOptions
  readonly #attendance: GoingAttendance
  #answer: StreamedAnswer
  #continuations = 0
  #usage: Usage | undefined
  /** What the last answer said is booked; nobody answers now. */
  #isSettled = false
  #left: GatewayError | undefined
  pending: Promise<void> | undefined

  constructor(answer: StreamedAnswer, options: ContinuingOptions) {
    this.#answer = answer
    this.#options = options
    this.#attendance = new GoingAttendance(options.request.presence)
  }

  get hasContent(): boolean {
    return this.#continuations > 0 || this.#answer.stream.hasContent
  }

  get isDone(): boolean {
    return this.#answer.stream.isDone
  }

  get facts(): AnswerFacts | undefined {
    return this.#isSettled ? undefined : this.#answer.stream.facts
  }

  async next(): Promise<Uint8Array | undefined> {
    try {
      return await this.#answer.stream.next()
    } catch (thrown) {
      const error = GatewayError.from(thrown)
      const { trail } = this.#options.continuity
      if (!trail || !this.#mayGoOn(error, trail)) throw error
      const going = this.#goOn(error, trail)
      this.pending = endOf(going)
      try {
        return await going
      } finally {
        this.pending = undefined
      }
    }
  }

  cancel(): void {
    this.#answer.stream.cancel()
  }

  tick(nowMs: number): void {
    // While another one is asked, whoever waits for it is told of its deadlines.
    if (this.pending === undefined) this.#answer.attempt.tick(nowMs)
  }

  abort(reason: GatewayError): void {
    this.#left = reason
    this.#answer.attempt.abort(reason)
    this.#attendance.abort(reason)
  }

  close(error: GatewayError | undefined, facts?: AnswerFacts | undefined): void {
    if (!this.#isSettled) this.#answer.attempt.close(error, facts)
  }

  /** The provider's failure, and a text that is not at its end; what is wrong with the request stays so. */
  #mayGoOn(error: GatewayError, trail: StreamTrail): boolean {
    const { record, timeoutMs, failover } = this.#options.request
    if (this.#left || this.#continuations >= MAX_CONTINUATIONS || !trail.mayGoOn) return false
    if (timeoutMs !== undefined && record.elapsedMs() >= timeoutMs) return false
    const failure = classifyFailure(error, Date.now())
    const possible = { retry: false, rotate: false, next: true }
    return chooseAction(failure, possible, failover) === 'next_target'
  }

  /** The frames of the seam. Throws what broke the stream, where nobody goes on with it. */
  async #goOn(error: GatewayError, trail: StreamTrail): Promise<Uint8Array> {
    const { request, continuity, turn, detach } = this.#options
    const { record, protocol } = request
    const broken = record.target
    this.#continuations++
    const { facts } = this.#answer.stream
    this.#answer.attempt.close(error, facts)
    this.#answer.stream.cancel()
    const number = record.attempts.at(-1)?.number
    if (broken === undefined || number === undefined) throw error
    this.#isSettled = true
    const usage = await detach().settle({ number, target: broken, facts })
    if (usage) this.#usage = addUsage(this.#usage, usage)
    continuity.breakOff(trail, this.#usage)
    const next = this.#toRequest(broken, trail)
    if (this.#left ?? next === undefined) throw this.#left ?? error
    try {
      const answer = toStreamed(await turn(next))
      this.#answer = answer
      this.#isSettled = false
      if (this.#left) drop(answer, this.#left)
      return Buffer.concat([seamOf(protocol.client, record.target), ...answer.held])
    } catch (thrown) {
      const failure = GatewayError.from(thrown)
      throw failure.code === 'internal_error' || this.#left ? failure : error
    }
  }

  /** What the next target is asked; `undefined` where nobody is left to ask. */
  #toRequest(broken: Target, trail: StreamTrail): TurnRequest | undefined {
    const { request, reserve, bound } = this.#options
    const plan = this.#planBehind(broken)
    if (plan === undefined) return undefined
    const saidTokens = this.#usage?.outputTokens ?? 0
    const { envelope } = request
    const { outputLimit } = envelope
    const rest: Envelope =
      outputLimit === undefined
        ? envelope
        : { ...envelope, outputLimit: Math.max(1, outputLimit - saidTokens) }
    const withText = bound()
    const tokens = withText.tokens + Buffer.byteLength(trail.text) + ASKING_TOKENS
    return {
      ...request,
      plan: changePlan(plan, {
        targets: plan.targets.map((planned) => shortened(planned, saidTokens)),
      }),
      envelope: rest,
      presence: this.#attendance,
      firstReason: 'continued',
      hedge: undefined,
      reserve: (planned) => reserve(planned, rest, { ...withText, tokens }),
    }
  }

  /** Those behind the one that broke off; that one again where there is none, and it is well. */
  #planBehind(broken: Target): Plan | undefined {
    const { request, health } = this.#options
    const { targets } = request.plan
    const at = targets.findIndex(({ target }) => target.name === broken.name)
    const behind = targets.slice(at + 1)
    if (behind.length > 0) return { ...request.plan, targets: behind }
    const same = targets[at]
    if (same === undefined || health.of(broken.name).admit() !== undefined) return undefined
    return { ...request.plan, targets: [same] }
  }
}

async function endOf(going: Promise<unknown>): Promise<void> {
  try {
    await going
  } catch {
    // Who reads the stream hears of it.
  }
}

/** The client has left meanwhile: what is left is to be closed with the request. */
function drop({ attempt, stream }: StreamedAnswer, reason: GatewayError): never {
  attempt.abort(reason)
  stream.cancel()
  throw reason
}

/** The target with a limit of its own lowered by what was said. */
function shortened(planned: PlannedTarget, saidTokens: number): PlannedTarget {
  const limit = planned.params?.max_tokens
  if (typeof limit !== 'number') return planned
  return { ...planned, params: { ...planned.params, max_tokens: Math.max(1, limit - saidTokens) } }
}

const encoder = new TextEncoder()

/** A comment in the client's stream, in formats whose clients pass comments by. */
function seamOf(client: ClientHalf, target: Target | undefined): Uint8Array {
  const takesComments =
    client.streamType.startsWith('text/event-stream') && client.heartbeatFrame.length > 0
  return encoder.encode(takesComments ? `: continued by ${target?.headerName}\n\n` : '')
}

/** Attends on behalf of a client that reads already: its leaving is told here. */
class GoingAttendance implements Attendance {
  readonly #presence: Attendance
  #waiting: Waiting | undefined
  #left: GatewayError | undefined

  constructor(presence: Attendance) {
    this.#presence = presence
  }

  attend(waiting: Waiting | undefined): void {
    this.#waiting = waiting
    this.#presence.attend(waiting)
    if (this.#left) waiting?.abort(this.#left)
  }

  sleep(ms: number): Promise<void> {
    return sleepAttended(this, ms)
  }

  abort(reason: GatewayError): void {
    this.#left = reason
    this.#waiting?.abort(reason)
  }
}
