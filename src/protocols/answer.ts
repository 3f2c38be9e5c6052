import type { Part, Source } from './generation'
import type { JsonValue } from './json'
import type { Usage } from './usage'

/** The neutral model of an answer: whole, or put together from the events of a stream. */
export type Answer = {
  /** The provider's id of the answer. */
  id?: string | undefined
  /** The model as the provider names it. */
  model?: string | undefined
  /** Epoch seconds. */
  createdAt?: number | undefined
  /** In the order of their index; never empty. */
  choices: Choice[]
  usage?: Usage | undefined
  serviceTier?: string | undefined
  source?: Source | undefined
}

export type Choice = {
  parts: Part[]
  finish: Finish
  logprobs?: TokenLogprob[] | undefined
}

/**
 * Why a choice ended. `unknown`: a reason that no list here has; `native` says it. A provider's own failure
 * (Gemini's OTHER, Cohere's ERROR) is no finish: the readers throw `upstream_refused` for it.
 */
export type FinishReason =
  | 'stop'
  | 'stop_sequence'
  | 'length'
  /** The model's window is full. */
  | 'context_window'
  | 'tool_calls'
  | 'content_filter'
  | 'refusal'
  /** The provider wants the turn sent back to go on (Anthropic's `pause_turn`). */
  | 'pause'
  | 'unknown'

export type Finish = {
  reason: FinishReason
  /** As the provider spelled it. */
  native: string
  /** The stop sequence that was met, where the provider says. */
  stopSequence?: string | undefined
  /** What the provider says about it, e.g. a refusal's explanation. */
  detail?: JsonValue | undefined
}

export type TokenLogprob = {
  token: string
  logprob: number
  bytes?: number[] | undefined
  top: { token: string; logprob: number; bytes?: number[] | undefined }[]
}
