import type { JsonValue } from '../protocols/json'
import type { SentForm } from './form-body'
import type { ObjectStore } from './object-store'

/**
 * What the simulator's shell needs of a wire format. Timing, faults, counting and the server know
 * only these types, so another protocol joins as one more folder and one more row in `simulator.ts`.
 */
export type SimulatedProtocol = {
  /** The endpoint of this protocol at what was asked for, whatever the method; `undefined` for none. */
  endpoint(asked: Asked): Endpoint | undefined
  /** The headers a provider of this protocol puts on every answer. */
  headers(requestNumber: number, processingMs: number): Record<string, string>
  /** An error as a whole answer's body. */
  renderError(failure: Failure): string
  /** Headers that an error brings along. */
  errorHeaders?(failure: Failure): Record<string, string>
  /** The status this protocol's providers answer with where others send `status`. */
  errorStatus?(status: number): number
  /** An error as one frame of a stream; `isFirst` when nothing stands before it. */
  renderErrorFrame(failure: Failure, isFirst: boolean): string | Uint8Array
  /** The content type of a stream. */
  streamType: string
  /** A frame, whole by its framing, whose data is not. */
  brokenFrame: string | Uint8Array
  /** What is sent while the model is silent; '' where the protocol has nothing to say then. */
  keepAlive: string
}

/** What decides which endpoint answers. */
export type Asked = {
  pathname: string
  method: string
  query: URLSearchParams
  headers: Headers
}

export type Endpoint = {
  method: 'GET' | 'POST' | 'DELETE'
  /** The model name as it was asked for, directives included; '' where the request names none. */
  model(pathname: string, body: JsonValue | undefined): string
  answer(call: Call): Answer
}

export type Call = {
  pathname: string
  /** The parsed JSON body, or a form's fields; `undefined` for a GET. */
  body: JsonValue | undefined
  /** The body, where it is a form. */
  form: SentForm | undefined
  /** What is kept of uploads and batches. */
  objects: ObjectStore
  /** What the client showed; '' for none. */
  credential: string
  /** The name as it was asked for; answers repeat it. */
  model: string
  /** Tokens the answer shall have; `undefined` lets the text decide. */
  tokens: number | undefined
  quirks: Quirks
}

/** Where a fault must change what an endpoint writes, rather than the frames it wrote. */
export type Quirks = {
  usage: 'given' | 'omitted' | 'null-choices'
  refusesStreamOptions: boolean
  /** Answer with this much filler text, in pieces of the given size, instead of words. */
  filler: { sizeBytes: number; pieceBytes: number } | undefined
}

export type Failure = {
  status: number
  code: string | null
  message: string
  param?: string
  /** The whole body, where a host's error has a shape that its protocol does not know. */
  body?: string
}

export type FramePart = 'whole' | 'start' | 'content' | 'finish' | 'usage' | 'end' | 'extra'

export type TextFrame = {
  kind: 'text'
  part: FramePart
  text: string
  /** Tokens the frame carries: what timed answers are paced by. */
  tokens: number
}

/** A frame of a format that is no text. */
export type BinaryFrame = {
  kind: 'binary'
  part: FramePart
  bytes: Uint8Array
  tokens: number
  /** The frame with `sim_sent_at_ms`, epoch milliseconds, in its JSON. */
  stamped(atMs: number): Uint8Array
}

/** A frame that an endpoint wrote. */
export type ProtocolFrame = TextFrame | BinaryFrame

export type Frame =
  | ProtocolFrame
  /** Bytes that belong to no protocol, sent after a pause. */
  | { kind: 'bytes'; bytes: Uint8Array; pauseMs: number }
  /** Nothing more, and no end either. */
  | { kind: 'hang' }
  /** The connection is reset. */
  | { kind: 'reset' }

export type Answer =
  | { kind: 'whole'; text: string; tokens: number }
  | { kind: 'stream'; frames: Iterable<Frame> }
  /** What is no JSON, under its content type; leaves in pieces. */
  | { kind: 'file'; bytes: Uint8Array; type: string }
  | { kind: 'refused'; failure: Failure }

/** A text frame without tokens unless told. */
export function textFrame(part: FramePart, text: string, tokens = 0): TextFrame {
  return { kind: 'text', part, text, tokens }
}

/** A frame of the protocol that takes no stamp when it is bytes. */
export function rawFrame(part: FramePart, content: string | Uint8Array): ProtocolFrame {
  if (typeof content === 'string') return textFrame(part, content)
  return { kind: 'binary', part, bytes: content, tokens: 0, stamped: () => content }
}

/** An endpoint wrote it: it stands for a part of the answer. */
export function isProtocolFrame(frame: Frame): frame is ProtocolFrame {
  return frame.kind === 'text' || frame.kind === 'binary'
}

/** A frame's bytes. */
export function bytesOf(frame: ProtocolFrame): Uint8Array {
  return frame.kind === 'text' ? Buffer.from(frame.text) : frame.bytes
}
