import type { Form } from './form'
import type { DirectCall } from './object-call'

/** Bytes `[start, end)` of a request's body. */
export type Span = { start: number; end: number }

/** What a client asks for; each has its own envelope, usage reader and rule of retrying. */
export type Operation =
  | 'generate'
  | 'count'
  | 'embed'
  | 'rerank'
  | 'moderate'
  | 'image'
  | 'speech'
  | 'transcribe'
  | 'file'
  | 'batch'
  | 'response'
  | 'passthrough'

/** What a request can be charged for beside tokens: the most of each. */
export type RequestUnits = {
  /** Images that are asked for. */
  readonly images?: number
  /** Of the text that is to be spoken. */
  readonly characters?: number
  /** Of sound that is sent, or asked for. */
  readonly seconds?: number
  readonly pages?: number
  /** What a host may bill one request as: a rerank of many documents counts as several. */
  readonly requests?: number
}

/** What a request wants kept of its answer, and which kept answer it goes on from. */
export type Keeping = {
  /** The id of the answer that it goes on from. */
  readonly previousId: string | undefined
  /** The same, where that and what it was an answer to have been put before the request's own turns. */
  readonly followedId?: string | undefined
  readonly isStored: boolean
  /** The work may go on behind the answer. */
  readonly isBackground: boolean
}

/**
 * What every stage reads of a request, found by one scan of its body. The bytes are kept: a request
 * that leaves in the protocol it came in is never built again, only cut where it must change.
 */
export type Envelope = {
  operation: Operation
  /** The model as the client wrote it. */
  model: string
  stream: boolean
  /** The client asked for a usage frame at the end of its stream. */
  includesUsage: boolean
  /** Answers asked for (`n`). */
  choices: number
  /** The most tokens the client allows for the answer; `undefined` leaves it to the model. */
  outputLimit: number | undefined
  /** The end user, as the body names them. */
  user?: string | undefined
  /** The service tier that is asked for, in the format's own word; `undefined` leaves it to the provider. */
  serviceTier?: string | undefined
  /** The most tokens that its input can be, where the body doesn't say it. */
  inputTokens?: number | undefined
  /** What comes to its input from what its provider keeps: the most tokens that can be. */
  keptTokens?: number | undefined
  /** Left out in formats whose answers nobody keeps. */
  keeping?: Keeping
  /** Beside tokens; left out where tokens are all. */
  units?: RequestUnits | undefined
  /** What it came to of them, where the answer doesn't say it: about that much. */
  estimate?: RequestUnits | undefined
  /** The whole request, where it is a form; then the body is empty. */
  form?: Form | undefined
  /** Where it goes at the provider, where that is not its format's own path. */
  direct?: DirectCall | undefined
  /** Where the member `fallbacks` has its value, in formats whose bodies the gateway looks for it in. */
  fallbacksSpan?: Span
  /** The models that the request names for when its own fails; the body no longer has them. */
  fallbacks?: readonly string[]
  body: Uint8Array
  /** `undefined` where the model stands in the path. */
  modelSpan: Span | undefined
  /** The path says the model, whatever the body does: a body for an upstream must have it all the same. */
  isModelInPath?: boolean
  streamOptionsSpan: Span | undefined
  /** Where the closing brace of the body stands. */
  closeAt: number
}
