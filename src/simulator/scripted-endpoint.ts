import type { AnswerContext, ChatProtocol } from '../protocols/chat-protocol'
import type { Generation } from '../protocols/generation'
import type { JsonObject, JsonValue } from '../protocols/json'
import { Losses } from '../protocols/losses'
import { isRecord, stringOf } from '../std/record'
import { CREATED_SECONDS } from './created'
import type { Answer, Call, Endpoint, Failure, Frame, FramePart } from './protocol'
import { scriptAnswer, type ScriptedAnswer, type ScriptStyle } from './scripted-answer'
import { scriptedSteps, scriptedWhole } from './scripted-events'
import { splitSse, type WireEvent, withoutUsage } from './wire-event'

/** A format of chats, as the simulator speaks it. */
export type ScriptedFormat = {
  chat: ChatProtocol
  style: ScriptStyle
  /** Which part of a stream a frame is. */
  partOf(event: WireEvent): FramePart
  /** Cuts what the writer wrote into frames; Server-Sent Events unless told. */
  split?(written: Uint8Array): WireEvent[]
  /** What the provider demands beyond the format, e.g. state that it gave and wants back. */
  refuse?(body: JsonObject, model: string): Failure | undefined
}

/** What the path says of the request, where the body does not. */
export type ScriptedRoute = { model?: string; stream?: boolean }

/** A chat endpoint that answers with one scripted answer, whole or streamed, as the request asks. */
export function scriptedEndpoint(format: ScriptedFormat, route: ScriptedRoute = {}): Endpoint {
  return readingEndpoint(format, route, (generation, call, body) => {
    const failure = format.refuse?.(body, call.model)
    if (failure) return { kind: 'refused', failure }
    const script = scriptAnswer(generation, call, format.style)
    if (!script) return refused('The forced tool is not among the tools.', 'tool_choice')
    const streams = route.stream ?? generation.stream
    if (!streams) return wholeAnswer(format, generation, call, script)
    const frames: Iterable<Frame> = {
      [Symbol.iterator]: () => streamFrames(format, generation, call, script),
    }
    return { kind: 'stream', frames }
  })
}

/** An endpoint that reads a chat of this format, and answers it in its own way. */
export function readingEndpoint(
  { chat }: ScriptedFormat,
  route: ScriptedRoute,
  answer: (generation: Generation, call: Call, body: JsonObject) => Answer
): Endpoint {
  return {
    method: 'POST',
    model: (_, body) => route.model ?? stringOf(body, 'model') ?? '',
    answer(call) {
      if (call.model === '') return refused('The request names no model.', 'model')
      if (!isRecord(call.body)) return refused('The body is no JSON object.', 'body')
      const generation = readGeneration(chat, call.body, route)
      if ('failure' in generation) return { kind: 'refused', failure: generation.failure }
      if (generation.messages.length === 0) return refused('At least one message is needed.')
      return answer(generation, call, call.body)
    },
  }
}

/** A 400 that names the parameter at fault. */
export function refused(message: string, param?: string): Answer {
  const failure = { status: 400, code: 'invalid_value', message }
  return { kind: 'refused', failure: param === undefined ? failure : { ...failure, param } }
}

function readGeneration(
  chat: ChatProtocol,
  body: JsonObject,
  route: ScriptedRoute
): Generation | { failure: Failure } {
  try {
    return chat.chat.parseGeneration(body, route)
  } catch (error) {
    // What the format itself refuses; anything else is a bug of the reader, and shall be seen as one.
    const status = isRecord(error) ? error['status'] : undefined
    if (!(error instanceof Error) || status !== 400) throw error
    const param = stringOf(error, 'param')
    const failure = { status: 400, code: 'invalid_value', message: error.message }
    return { failure: param === undefined ? failure : { ...failure, param } }
  }
}

function contextOf(generation: Generation, { model }: Call, { id }: ScriptedAnswer): AnswerContext {
  return {
    requestId: id.replaceAll('_', '-'),
    createdAt: CREATED_SECONDS,
    model,
    request: generation,
  }
}

function wholeAnswer(
  { chat }: ScriptedFormat,
  generation: Generation,
  call: Call,
  script: ScriptedAnswer
): Answer {
  const context = contextOf(generation, call, script)
  const json = chat.chat.renderChatAnswer(scriptedWhole(script), context, new Losses())
  const said: JsonValue = call.quirks.usage === 'omitted' ? withoutUsage(json) : json
  return { kind: 'whole', text: JSON.stringify(said), tokens: script.tokens }
}

function* streamFrames(
  { chat, partOf, split = splitSse }: ScriptedFormat,
  generation: Generation,
  call: Call,
  script: ScriptedAnswer
): Generator<Frame> {
  const writer = chat.chat.createFrameWriter(contextOf(generation, call, script), new Losses())
  let tokens = 0
  for (const step of scriptedSteps(script)) {
    tokens += step.tokens
    for (const event of split(writer.write(step.events))) {
      const silent = call.quirks.usage === 'omitted' && event.json
      yield frameOf(silent ? silenced(event, silent) : event, partOf(event), tokens)
      // A format that writes a call at once pays for its tokens at once.
      tokens = 0
    }
  }
}

function silenced(event: WireEvent, json: JsonObject): WireEvent {
  const silent = withoutUsage(json)
  return { ...event, json: silent, raw: event.render(silent) }
}

function frameOf({ raw, json, render }: WireEvent, part: FramePart, tokens: number): Frame {
  if (typeof raw === 'string') return { kind: 'text', part, text: raw, tokens }
  const stamped = (atMs: number) => {
    const rendered = json && render({ sim_sent_at_ms: Math.round(atMs * 1000) / 1000, ...json })
    return rendered instanceof Uint8Array ? rendered : raw
  }
  return { kind: 'binary', part, bytes: raw, tokens, stamped }
}
