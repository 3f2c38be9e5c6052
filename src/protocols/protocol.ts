import type { GatewayError } from '../errors/gateway-error'
import type { Envelope, Operation } from './envelope'
import type { Usage } from './usage'

/**
 * The client's side of a wire format: bytes in, bytes out, all pure. Failures of the request are thrown
 * as `GatewayError`.
 */
export type ClientHalf = {
  parseRequest(body: Uint8Array): Envelope
  /** The error as a whole answer's body. */
  renderError(error: GatewayError): string
  /** The error as an event of a stream whose head has left; the stream ends behind it. */
  renderErrorFrame(error: GatewayError): Uint8Array
  /** Keeps a silent stream's connection alive, and means nothing to any client. */
  heartbeatFrame: Uint8Array
}

/** What the gateway changes in a request on its way to one target. */
export type RequestChanges = {
  /** The name the upstream knows the model by. */
  model: string
  /** Ask for a usage frame where the client did not. */
  askForUsage: boolean
}

/** What an answer says about itself, whole or gathered from its frames. */
export type AnswerFacts = {
  usage: Usage | undefined
  finishReasons: string[]
}

/**
 * What a frame means to the relay. `preamble`: the model has said nothing yet. `content`: content, a tool
 * call, reasoning, a refusal or a finish reason. `done`: the protocol's own end mark. `withheld`: only
 * there because the gateway asked for it.
 */
export type FrameMeaning = 'comment' | 'preamble' | 'content' | 'done' | 'withheld'

/** Reads the frames of one stream, in order. */
export type FrameReader = {
  /**
   * Takes a frame's data (`undefined` for comments). Throws `upstream_malformed` for what is not the
   * protocol, and `upstream_refused` for an error the upstream put into its stream.
   */
  read(data: string | undefined): FrameMeaning
  /** The stream may end here: its end mark came, or every choice has its finish reason. */
  isComplete(): boolean
  facts(): AnswerFacts
}

/** An answer with an error status, and those of its headers that may pass. */
export type UpstreamRefusal = {
  status: number
  headers: Readonly<Record<string, string>>
  body: Uint8Array
}

/** The upstream's side of a wire format, as pure functions; `providers/send.ts` owns the transport. */
export type UpstreamHalf = {
  /** Behind the provider's base URL. */
  path: string
  renderRequest(envelope: Envelope, changes: RequestChanges): Uint8Array
  /** Reads a whole answer; throws `upstream_malformed` when it is not one. */
  parseAnswer(body: Uint8Array): AnswerFacts
  createFrameReader(envelope: Envelope, changes: RequestChanges): FrameReader
  /** An error status with its body, as the error the client shall see. */
  parseError(provider: string, refusal: UpstreamRefusal): GatewayError
}

/** A wire format: what a client speaks, what an upstream speaks, and the operation they speak of. */
export type Protocol = {
  /** Names it in the log, the catalog and in `api` fields, e.g. `openai-chat`. */
  name: string
  operation: Operation
  client: ClientHalf
  upstream: UpstreamHalf
}
