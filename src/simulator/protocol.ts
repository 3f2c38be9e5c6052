/**
 * What the simulator's shell needs of a wire format. Timing, faults, counting and the server know
 * only these types, so another protocol joins as one more folder and one more row in `simulator.ts`.
 */
export type SimulatedProtocol = {
  /** The endpoint of this protocol at a path, whatever the method; `undefined` where it has none. */
  endpoint(pathname: string): Endpoint | undefined
  /** The headers a provider of this protocol puts on every answer. */
  headers(requestNumber: number, processingMs: number): Record<string, string>
  /** An error as a whole answer's body. */
  renderError(failure: Failure): string
  /** An error as one frame of a stream. */
  renderErrorFrame(failure: Failure): string
}

export type Endpoint = {
  method: 'GET' | 'POST'
  /** The model name as it was asked for, directives included; '' where the request names none. */
  model(pathname: string, body: unknown): string
  answer(call: Call): Answer
}

export type Call = {
  pathname: string
  /** The parsed JSON body; `undefined` for a GET. */
  body: unknown
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

export type Failure = { status: number; code: string | null; message: string; param?: string }

export type FramePart = 'whole' | 'start' | 'content' | 'finish' | 'usage' | 'end' | 'extra'

export type TextFrame = {
  kind: 'text'
  part: FramePart
  text: string
  /** Tokens the frame carries: what timed answers are paced by. */
  tokens: number
}

export type Frame =
  | TextFrame
  /** Bytes that belong to no protocol, sent after a pause. */
  | { kind: 'bytes'; bytes: Uint8Array; pauseMs: number }
  /** Nothing more, and no end either. */
  | { kind: 'hang' }
  /** The connection is reset. */
  | { kind: 'reset' }

export type Answer =
  | { kind: 'whole'; text: string; tokens: number }
  | { kind: 'stream'; frames: Iterable<Frame> }
  | { kind: 'refused'; failure: Failure }

/** A text frame without tokens unless told. */
export function textFrame(part: FramePart, text: string, tokens = 0): TextFrame {
  return { kind: 'text', part, text, tokens }
}
