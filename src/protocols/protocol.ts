import type { GatewayError } from '../errors/gateway-error'
import type { SseFrame } from '../std/sse'
import type { Envelope, Operation } from './envelope'
import type { Form, FormBody } from './form'
import type { Losses } from './losses'
import type { ObjectCall } from './object-call'
import type { RateState } from './rate-limits'
import type { SaidText } from './said-text'
import type { Usage } from './usage'

/**
 * The client's side of a wire format: bytes in, bytes out, all pure. Failures of the request are thrown
 * as `GatewayError`.
 */
export type ClientHalf = {
  parseRequest(body: Uint8Array, route: RequestRoute): Envelope
  /** The same of a body of multipart/form-data; left out where such a body means nothing. */
  parseForm?(form: Form, route: RequestRoute): Envelope
  /** Headers of the client that mean something to an upstream of this format, in lower case. */
  requestHeaders: readonly string[]
  /** The error as a whole answer's body. An upstream's own (`error.answer`) passes if this format has its shape. */
  renderError(error: GatewayError, requestId: string): string
  /** Headers an error brings along beside the usual ones; `undefined` for none. */
  errorHeaders?(error: GatewayError): Record<string, string>
  /** How this format tells a client what it may still do; where missing, it has no way to. */
  renderLimits?(states: readonly RateState[], nowMs: number): Record<string, string>
  /** What this format's SDK looks for the request's id in, beside `x-request-id`. */
  requestIdHeader?: string
  /** The error as an event of a stream whose head has left; the stream ends behind it. */
  renderErrorFrame(error: GatewayError, requestId: string): Uint8Array
  /** Keeps a silent stream's connection alive, and means nothing to any client; empty where nothing does. */
  heartbeatFrame: Uint8Array
  /** The content type of a stream. */
  streamType: string
  /** The upstream format whose bodies are the same and whose stream only has another framing. */
  reframes?: string
  /** Frames of that stream in this framing. */
  createReframer?(): Reframer
}

/** Puts an upstream's frames into another framing, their data as it is. */
export type Reframer = {
  frame(frame: SseFrame): Uint8Array
  /** What stands behind the last one. */
  end(): Uint8Array
}

/** What a request's path says, in formats whose body does not. */
export type RequestRoute = {
  /** The model in the path. */
  model?: string | undefined
  /** The path asks for a stream, or for none. */
  stream?: boolean | undefined
  /** What is asked for has an id, or will have one. */
  object?: ObjectCall | undefined
}

/** What the gateway changes in a request on its way to one target. */
export type RequestChanges = {
  /** The name the upstream knows the model by. */
  model: string
  /** Ask for a usage frame where the client did not. */
  askForUsage: boolean
  /** Anthropic's format where the path says the model: the body says this `anthropic_version` in its place. */
  anthropicVersion?: string | undefined
}

/** What an answer says about itself, whole or gathered from its frames. */
export type AnswerFacts = {
  usage: Usage | undefined
  finishReasons: string[]
  /** What the model said in a stream, for those whose usage never comes. */
  said?: SaidText
  /** The id that its provider keeps it under, in formats whose answers are kept. */
  id?: string | undefined
}

/**
 * What a frame means to the relay. `preamble`: the model has said nothing yet. `content`: content, a tool
 * call, reasoning, a refusal or a finish reason. `done`: the protocol's own end mark. `withheld`: only
 * there because the gateway asked for it.
 */
export type FrameMeaning = 'comment' | 'heartbeat' | 'preamble' | 'content' | 'done' | 'withheld'

/** Reads the frames of one stream, in order. */
export type FrameReader = {
  /**
   * Takes a frame's data (`undefined` for comments). Throws `upstream_malformed` for what is not the
   * protocol, and `upstream_refused` for an error the upstream put into its stream.
   */
  read(data: string | undefined, event: string | undefined): FrameMeaning
  /** The stream may end here: its end mark came, or every choice has its finish reason. */
  isComplete(): boolean
  /** What goes on in the place of the frames read since the last call; where missing, they do themselves. */
  output?(): Uint8Array
  /** The stream has ended: what is to be said last. Throws `upstream_broken` when the answer has no end. */
  finish?(): Uint8Array
  facts(): AnswerFacts
}

/** An answer with an error status, and those of its headers that may pass. */
export type UpstreamRefusal = {
  status: number
  headers: Readonly<Record<string, string>>
  body: Uint8Array
}

/** What is asked for, as far as the path says it. */
export type UpstreamAsked = {
  model: string
  stream: boolean
  baseUrl: string
  /** Of what is kept under an id: the path behind the version. */
  resource?: string | undefined
}

/** The upstream's side of a wire format, as pure functions; `providers/send.ts` owns the transport. */
export type UpstreamHalf = {
  /**
   * Behind the provider's base URL, with its leading slash. A version such as `/v1` is left out where the base
   * URL ends in one.
   */
  path(target: UpstreamAsked): string
  /** The credential as this format's hosts want it, and what every request of the format carries. */
  headers(apiKey: string | undefined): Record<string, string>
  /** Headers of an upstream's answer that concern a client of this format, in lower case. */
  answerHeaders: readonly string[]
  /** How the content type of a stream begins. */
  streamType: string
  createFramer(): Framer
  renderRequest(envelope: Envelope, changes: RequestChanges): Uint8Array
  /** The same where the request is a form. */
  renderForm?(form: Form, changes: RequestChanges): FormBody
  /**
   * What an answer is beside JSON: a `text` under its own content type, or a `file` (sound), which goes on as it comes.
   * Left out for JSON alone.
   */
  answers?: 'text' | 'file'
  /** Reads a whole answer; throws `upstream_malformed` when it is not one. Of a file nothing is read. */
  parseAnswer(body: Uint8Array): AnswerFacts
  createFrameReader(envelope: Envelope, changes: RequestChanges): FrameReader
  /** An error status with its body, as the error the client shall see. */
  parseError(provider: string, refusal: UpstreamRefusal): GatewayError
}

/** Cuts a stream into whole frames, keeping their bytes; `SseFramer` is one. */
export type Framer = {
  /** Bytes held back because their frame is not whole. */
  readonly pendingBytes: number
  /** Takes the next bytes and gives the frames that they complete. Throws `upstream_malformed`. */
  push(chunk: Uint8Array): SseFrame[]
  /** The stream has ended: what may be a last frame without its end. */
  rest(): SseFrame | undefined
}

/** One request on its way into another format of the same operation, and its answer on the way back. */
export type Conversion = {
  /** The body for the upstream. Throws `invalid_request` for what only its own format could mean. */
  renderRequest(model: string, losses: Losses): Uint8Array
  /** A whole answer in the client's format; throws `upstream_malformed`. */
  renderAnswer(body: Uint8Array, losses: Losses): { body: Uint8Array; facts: AnswerFacts }
}

/** A wire format: what a client speaks, what an upstream speaks, and the operation they speak of. */
export type Protocol = {
  /** Names it in the log and in `api` fields, e.g. `openai-chat`. */
  name: string
  /** The format of the hosts that speak it, where that has another name: as of a count of tokens its chat's. */
  spokenBy?: string
  operation: Operation
  client: ClientHalf
  upstream: UpstreamHalf
  /** How its requests are told in another format of the operation; `undefined` where they can't be. Chats have a way of their own. */
  convert?(upstream: Protocol, envelope: Envelope): Conversion | undefined
}
