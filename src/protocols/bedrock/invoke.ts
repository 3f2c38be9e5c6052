import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { stringOf } from '../../std/record'
import { SseFramer } from '../../std/sse'
import type {
  AnswerContext,
  ChatHalves,
  ChatTarget,
  EventReader,
  FrameWriter,
} from '../chat-protocol'
import type { Generation } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import type { AnswerFacts, RequestRoute } from '../protocol'
import type { StreamEvent } from '../stream-event'
import { mergeUsage, type Usage } from '../usage'
import { asObject, defined, invalid, parseJson } from './converse-json'
import { EventStreamEncoder } from './event-stream'
import { finishReasonsOf, METRICS, readChunk } from './invoke-frames'
import { toInvokeUsage } from './invoke-usage'

/**
 * InvokeModel with bodies of Anthropic's family: Messages, but that the path says model and stream and the body says a
 * version of its own.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
 */

const ANTHROPIC_VERSION = 'bedrock-2023-05-31'

const decoder = new TextDecoder()

/** Reads what an answer that passes says of itself, whichever family's it is. Throws `upstream_malformed`. */
export function parseInvokeAnswer(body: Uint8Array): AnswerFacts {
  const text = decoder.decode(body)
  const answer = asObject(parseJson(text))
  if (answer === undefined)
    throw new GatewayError(
      'upstream_malformed',
      `the provider answered 200 with what is not an answer: ${excerpt(text, 200)}`
    )
  return { usage: toInvokeUsage(answer), finishReasons: finishReasonsOf(answer) }
}

/** The halves of InvokeModel on those of Anthropic's Messages. */
export function createInvokeHalves(messages: ChatHalves): ChatHalves {
  return {
    parseGeneration: (body, route) => messages.parseGeneration(toMessagesBody(body, route), route),
    renderGeneration: (generation, target, losses) =>
      toInvokeBody(generation, target, losses, messages),
    parseChatAnswer: (json) => messages.parseChatAnswer(json),
    renderChatAnswer: (answer, context, losses) =>
      messages.renderChatAnswer(answer, context, losses),
    createEventReader: () => new InvokeEventReader(messages.createEventReader()),
    createFrameWriter: (context, losses) => new InvokeFrameWriter(messages, context, losses),
  }
}

/**
 * The body as Messages has it. Throws `invalid_request` for the bodies of other families, which nobody but Bedrock can
 * read. Betas are Bedrock's own and mean nothing elsewhere.
 */
function toMessagesBody(body: JsonObject, route: RequestRoute): JsonObject {
  const { anthropic_version: version, anthropic_beta: _betas, ...rest } = body
  if (typeof version !== 'string')
    throw invalid(
      'anthropic_version',
      `must be "${ANTHROPIC_VERSION}": the bodies of Anthropic's models alone can be told to another provider`
    )
  return { ...rest, model: route.model, ...(route.stream === true && { stream: true }) }
}

function toInvokeBody(
  generation: Generation,
  target: ChatTarget,
  losses: Losses,
  messages: ChatHalves
): JsonObject {
  const body = messages.renderGeneration(generation, target, losses)
  const { model: _model, stream: _stream, ...rest } = body
  return { anthropic_version: ANTHROPIC_VERSION, ...rest }
}

/** Reads Anthropic's events out of the chunks. */
class InvokeEventReader implements EventReader {
  readonly #events: EventReader

  constructor(events: EventReader) {
    this.#events = events
  }

  read(data: string, event: string | undefined): StreamEvent[] {
    const text = readChunk(data, event)
    return this.#events.read(text, stringOf(parseJson(text), 'type'))
  }

  end(): StreamEvent[] {
    return this.#events.end()
  }
}

/** Puts Anthropic's events into chunks; the last one also tells Bedrock's own counts. */
class InvokeFrameWriter implements FrameWriter {
  readonly #frames: FrameWriter
  readonly #framer = new SseFramer()
  readonly #encoder = new EventStreamEncoder()
  #usage: Usage | undefined

  constructor(messages: ChatHalves, context: AnswerContext, losses: Losses) {
    this.#frames = messages.createFrameWriter(context, losses)
  }

  write(events: readonly StreamEvent[]): Uint8Array {
    for (const event of events)
      if (event.type === 'usage') this.#usage = mergeUsage(this.#usage, event.usage)
    const chunks = this.#framer
      .push(this.#frames.write(events))
      .flatMap(({ data }) => (data === undefined ? [] : [this.#toChunk(data)]))
    return Buffer.concat(chunks)
  }

  #toChunk(data: string): Uint8Array {
    const event = asObject(parseJson(data))
    const text =
      event?.type === 'message_stop'
        ? JSON.stringify({ ...event, [METRICS]: renderMetrics(this.#usage) })
        : data
    return this.#encoder.event('chunk', { bytes: Buffer.from(text).toString('base64') })
  }
}

/** Times are left out: nobody has measured them for Bedrock. */
function renderMetrics(usage: Usage | undefined): JsonObject {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage ?? {}
  const cached = (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0)
  return defined({
    inputTokenCount: inputTokens === undefined ? undefined : Math.max(0, inputTokens - cached),
    outputTokenCount: outputTokens,
    cacheReadInputTokenCount: cacheReadTokens,
    cacheWriteInputTokenCount: cacheWriteTokens,
  })
}
