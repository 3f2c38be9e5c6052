import { GatewayError } from '../errors/gateway-error'
import type { Answer } from '../protocols/answer'
import { setCacheMarks } from '../protocols/cache-marks'
import type {
  AnswerContext,
  ChatProtocol,
  EventReader,
  FrameWriter,
} from '../protocols/chat-protocol'
import type { Envelope } from '../protocols/envelope'
import type { Generation } from '../protocols/generation'
import type { JsonValue } from '../protocols/json'
import { parseJsonAnswer } from '../protocols/json-answer'
import { Losses } from '../protocols/losses'
import { mendConversation, renameMembers } from '../protocols/openai/quirks'
import type { AnswerFacts, FrameMeaning, FrameReader, RequestRoute } from '../protocols/protocol'
import { SaidText } from '../protocols/said-text'
import type { StreamEvent } from '../protocols/stream-event'
import { mergeUsage, withTier } from '../protocols/usage'
import type { Target } from '../routing/target'
import { findBytes } from '../std/bytes'
import { setJsonMembers } from '../std/json-edit'
import type { Continuity } from './continuity'
import { type ToolCallMemory, ToolCallWatch } from './tool-call-memory'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export type TranslationOptions = {
  client: ChatProtocol
  upstream: ChatProtocol
  generation: Generation
  target: Target
  memory: ToolCallMemory
  /** The gateway's id of the request, and when it began in epoch milliseconds. */
  requestId: string
  startedAtMs: number
}

/** Members of Responses that stand for a conversation which only their provider has. */
const KEPT_ELSEWHERE = ['previous_response_id', 'conversation', 'prompt']

/**
 * The neutral model of a request's body, which was found to be JSON before. Throws `invalid_request`, also where the
 * body leans on what another provider keeps: without that it would mean something else.
 */
export function readGeneration(
  client: ChatProtocol,
  envelope: Envelope,
  route: RequestRoute
): Generation {
  const body: JsonValue = JSON.parse(decoder.decode(envelope.body))
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new GatewayError('invalid_json', 'the body is not a JSON object')
  const generation = client.chat.parseGeneration(body, route)
  for (const name of KEPT_ELSEWHERE)
    if ((generation.extras[name] ?? undefined) !== undefined)
      throw new GatewayError(
        'invalid_request',
        `'${name}' stands for what another provider keeps: this model wants the whole conversation as input`,
        { param: name }
      )
  if (generation.extras.background === true)
    throw new GatewayError(
      'invalid_request',
      "'background' needs a provider that runs responses behind an answer: this model's can't",
      { param: 'background' }
    )
  const { keeping } = envelope
  if (keeping?.followedId !== undefined) generation.previousId = keeping.followedId
  return generation
}

/** One chat on its way from a client's format to an upstream's, and its answer on the way back. */
export class Translation {
  /** What could not be said, on either way. */
  readonly losses = new Losses()
  readonly #options: TranslationOptions
  readonly #context: AnswerContext

  constructor(options: TranslationOptions) {
    const { requestId, startedAtMs, generation, target } = options
    this.#options = options
    this.#context = {
      requestId,
      createdAt: Math.floor(startedAtMs / 1_000),
      model: target.upstreamModel,
      request: generation,
    }
  }

  /** The body for the upstream. */
  renderRequest(): Uint8Array {
    const { upstream, generation, target, memory } = this.#options
    const { cachePrompts, quirks } = target.provider.configuration
    let told = memory.restore(generation)
    if (cachePrompts && CAN_CACHE.has(upstream.dialect)) told = setCacheMarks(told, cachePrompts)
    const body = upstream.chat.renderGeneration(
      told,
      { model: target.upstreamModel, stream: generation.stream },
      this.losses
    )
    if (upstream.dialect === 'openai-chat') mend(body, target, memory)
    if (quirks.anthropicVersionInBody && upstream.dialect === 'anthropic-messages') {
      delete body.model
      body.anthropic_version = quirks.anthropicVersionInBody
    }
    return encoder.encode(JSON.stringify(body))
  }

  /** A whole answer in the client's format. */
  renderAnswer(body: Uint8Array): { body: Uint8Array; facts: AnswerFacts } {
    const { client, upstream, memory } = this.#options
    const answer = upstream.chat.parseChatAnswer(parseJsonAnswer(body))
    memory.keepAnswer(answer)
    const rendered = client.chat.renderChatAnswer(answer, this.#context, this.losses)
    return { body: encoder.encode(JSON.stringify(rendered)), facts: toFacts(answer) }
  }

  createFrameReader(continuity?: Continuity | undefined): FrameReader {
    const { client, upstream, memory } = this.#options
    const create = () => client.chat.createFrameWriter(this.#context, this.losses)
    return new TranslatingReader(
      upstream.chat.createEventReader(),
      continuity ? continuity.createWriter(create) : create(),
      new ToolCallWatch(memory)
    )
  }
}

const TOOL_CALLS = Buffer.from('"tool_calls"')
const STORE = Buffer.from('"store"')
const NOT_STORED: ReadonlyMap<string, undefined> = new Map([['store', undefined]])

const CAN_CACHE: ReadonlySet<string> = new Set(['anthropic-messages', 'bedrock-converse'])

/** The same bytes but for what the host demands: of a conversation with tools, and by the names that it knows. */
export function mendBody(told: Uint8Array, target: Target, memory: ToolCallMemory): Uint8Array {
  const { shortToolCallIds, wantsReasoningBack, renames, keepsNoResponses } =
    target.provider.configuration.quirks
  const body = keepsNoResponses ? withoutStore(told) : told
  if (!shortToolCallIds && !wantsReasoningBack && renames === undefined) return body
  const hasCalls = (shortToolCallIds || wantsReasoningBack) && findBytes(body, TOOL_CALLS) >= 0
  const names = renames ? Object.keys(renames) : []
  if (!hasCalls && !names.some((name) => findBytes(body, Buffer.from(`"${name}"`)) >= 0))
    return body
  const parsed: unknown = JSON.parse(decoder.decode(body))
  mend(parsed, target, memory)
  return encoder.encode(JSON.stringify(parsed))
}

/** The gateway keeps what such hosts refuse to. */
function withoutStore(body: Uint8Array): Uint8Array {
  return findBytes(body, STORE) < 0 ? body : setJsonMembers(body, NOT_STORED)
}

function mend(body: unknown, { provider }: Target, memory: ToolCallMemory): void {
  const {
    shortToolCallIds = false,
    wantsReasoningBack = false,
    renames,
  } = provider.configuration.quirks
  if (renames) renameMembers(body, renames)
  if (!shortToolCallIds && !wantsReasoningBack) return
  mendConversation(
    body,
    { shortToolCallIds, wantsReasoningBack },
    (id) => memory.recall(id)?.reasoning
  )
}

function toFacts({ usage, choices, serviceTier }: Answer): AnswerFacts {
  return {
    usage: withTier(usage, serviceTier),
    finishReasons: choices.map(({ finish }) => finish.native || finish.reason),
  }
}

/** Reads an upstream's frames and has the client's ready in their place. */
class TranslatingReader implements FrameReader {
  readonly #events: EventReader
  readonly #frames: FrameWriter
  readonly #watch: ToolCallWatch
  readonly #said = new SaidText()
  readonly #facts: AnswerFacts = { usage: undefined, finishReasons: [], said: this.#said }
  readonly #written: Uint8Array[] = []
  #serviceTier: string | undefined
  #hasEnded = false

  constructor(events: EventReader, frames: FrameWriter, watch: ToolCallWatch) {
    this.#events = events
    this.#frames = frames
    this.#watch = watch
  }

  read(data: string | undefined, event: string | undefined): FrameMeaning {
    // Anthropic's way to keep a connection alive.
    if (data === undefined || event === 'ping') return 'comment'
    if (this.#hasEnded) return 'preamble'
    return this.#take(this.#events.read(data, event))
  }

  isComplete(): boolean {
    return this.#hasEnded
  }

  facts(): AnswerFacts {
    return { ...this.#facts, usage: withTier(this.#facts.usage, this.#serviceTier) }
  }

  output(): Uint8Array {
    return join(this.#written.splice(0))
  }

  finish(): Uint8Array {
    if (!this.#hasEnded) this.#take(this.#events.end())
    return this.output()
  }

  #hear(event: StreamEvent): void {
    if (event.type === 'delta') this.#said.add(event.text)
    else if (event.type === 'part_start' && 'text' in event.part) this.#said.add(event.part.text)
  }

  #take(events: readonly StreamEvent[]): FrameMeaning {
    let meaning: FrameMeaning = 'preamble'
    for (const event of events) {
      if (event.type === 'start') this.#serviceTier = event.serviceTier
      if (event.type === 'usage') this.#facts.usage = mergeUsage(this.#facts.usage, event.usage)
      if (event.type === 'finish')
        this.#facts.finishReasons[event.choice] = event.finish.native || event.finish.reason
      this.#hear(event)
      if (event.type === 'end') this.#hasEnded = true
      else if (meaning === 'preamble' && saysSomething(event)) meaning = 'content'
    }
    this.#watch.see(events)
    const frames = this.#frames.write(events)
    if (frames.length > 0) this.#written.push(frames)
    return this.#hasEnded ? 'done' : meaning
  }
}

function saysSomething(event: StreamEvent): boolean {
  if (event.type === 'delta') return event.text !== ''
  if (event.type === 'part_start') return !('text' in event.part) || event.part.text !== ''
  return event.type === 'finish'
}

function join(pieces: Uint8Array[]): Uint8Array {
  const [first] = pieces
  if (first === undefined) return EMPTY
  return pieces.length === 1 ? first : Buffer.concat(pieces)
}

const EMPTY = new Uint8Array(0)

/**
 * Lets the frames of one format pass, and follows them for the memory: for a host that wants back what clients
 * of its own format drop.
 */
export class ObservedReader implements FrameReader {
  readonly #frames: FrameReader
  readonly #events: EventReader
  readonly #watch: ToolCallWatch

  constructor(frames: FrameReader, upstream: ChatProtocol, memory: ToolCallMemory) {
    this.#frames = frames
    this.#events = upstream.chat.createEventReader()
    this.#watch = new ToolCallWatch(memory)
  }

  read(data: string | undefined, event: string | undefined): FrameMeaning {
    const meaning = this.#frames.read(data, event)
    if (data !== undefined) this.#watch.see(this.#events.read(data, event))
    return meaning
  }

  isComplete(): boolean {
    return this.#frames.isComplete()
  }

  facts(): AnswerFacts {
    return this.#frames.facts()
  }
}

/** Keeps what a whole answer in the upstream's own format says of its calls. */
export function observeAnswer(
  upstream: ChatProtocol,
  body: Uint8Array,
  memory: ToolCallMemory
): void {
  memory.keepAnswer(upstream.chat.parseChatAnswer(parseJsonAnswer(body)))
}
