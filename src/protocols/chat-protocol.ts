import type { Answer } from './answer'
import type { ChatProtocolName, Generation } from './generation'
import type { JsonObject, JsonValue } from './json'
import type { Losses } from './losses'
import type { Protocol, RequestRoute } from './protocol'
import type { StreamEvent } from './stream-event'

/** A wire format of chats: the halves of `Protocol`, and the way to and from the neutral model. */
export type ChatProtocol = Protocol & {
  /** The format of bodies: an upstream of the same dialect gets the client's bytes. */
  dialect: ChatProtocolName
  chat: ChatHalves
}

/** The format is one of chats, so that it can be translated. */
export function isChat(protocol: Protocol): protocol is ChatProtocol {
  return 'chat' in protocol
}

/** All pure. Requests go client → neutral → upstream, answers the other way. */
export type ChatHalves = {
  /**
   * Reads a client's request. Throws `invalid_request` with `param` for what the format itself refuses;
   * unknown members go to `extras`, unknown parts become `native`.
   */
  parseGeneration(body: JsonObject, route: RequestRoute): Generation
  /** Writes the request to an upstream that speaks this format; what it can't say goes to `losses`. */
  renderGeneration(generation: Generation, target: ChatTarget, losses: Losses): JsonObject
  /** Reads an upstream's whole answer. Throws `upstream_malformed`, `upstream_refused`. */
  parseChatAnswer(json: JsonValue): Answer
  /** Writes the answer for a client of this format. */
  renderChatAnswer(answer: Answer, context: AnswerContext, losses: Losses): JsonObject
  /** Reads the frames of an upstream's stream into neutral events. */
  createEventReader(): EventReader
  /** Writes neutral events as frames for a client of this format. */
  createFrameWriter(context: AnswerContext, losses: Losses): FrameWriter
}

/** What is told to the upstream. */
export type ChatTarget = {
  /** The name the upstream knows the model by. */
  model: string
  stream: boolean
}

/** What an answer needs that only the request and the gateway know. */
export type AnswerContext = {
  /** Ours, of letters, digits and dashes: stands in the answer's id where the upstream gave none. */
  requestId: string
  /** Epoch seconds, where the upstream says none. */
  createdAt: number
  /** The model as the client asked for it, where the upstream says none. */
  model: string
  request: Generation
}

export type EventReader = {
  /** One frame's data and event name. Throws `upstream_malformed`, and `upstream_refused` for an error in it. */
  read(data: string, event: string | undefined): StreamEvent[]
  /**
   * The stream has ended: the last events, `end` among them. Throws `upstream_broken` when something is
   * missing: the format's end mark, or a choice's finish.
   */
  end(): StreamEvent[]
}

export type FrameWriter = {
  /** The frames of these events; empty where none is due yet. `end` brings the format's own end mark. */
  write(events: readonly StreamEvent[]): Uint8Array
  /**
   * A frame that somebody else wrote to the client, when its events were written here for nothing: what follows is
   * numbered and named behind it. Only in formats whose frames have numbers or names of their own.
   */
  follow?(data: string): void
}
