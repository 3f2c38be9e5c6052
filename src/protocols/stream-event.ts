import type { Finish, TokenLogprob } from './answer'
import type { CacheMark, Citation, Part, Signature, Source } from './generation'
import type { Usage } from './usage'

/**
 * A streamed answer in neutral events. Per choice, parts have rising indices; a part's deltas stand between
 * its start and its end, but parts of one choice may be open at the same time (parallel tool calls). Readers
 * close every part before `finish`. `end` comes once, last; a stream that breaks has none.
 */
export type StreamEvent =
  | {
      type: 'start'
      id?: string | undefined
      model?: string | undefined
      createdAt?: number | undefined
      serviceTier?: string | undefined
    }
  /** `part` holds what is known at its start; its text, or its arguments, are empty or a beginning. */
  | { type: 'part_start'; choice: number; index: number; part: Part }
  /** More text, refusal, reasoning, arguments, transcript or base64, after what the part is. */
  | { type: 'delta'; choice: number; index: number; text: string }
  | { type: 'signature'; choice: number; index: number; signature: Signature }
  | { type: 'citation'; choice: number; index: number; citation: Citation }
  /** Facts of the part that were not known at its start, e.g. its id or encrypted form. */
  | { type: 'part_facts'; choice: number; index: number; facts: PartFacts }
  | { type: 'part_end'; choice: number; index: number }
  | { type: 'logprobs'; choice: number; tokens: TokenLogprob[] }
  | { type: 'finish'; choice: number; finish: Finish }
  /** Cumulative: the last one counts, with the members that the last one left out from before. */
  | { type: 'usage'; usage: Usage }
  | { type: 'end' }

/** What may become known of a part after its start; each kind of part takes the members that it has. */
export type PartFacts = {
  id?: string | undefined
  name?: string | undefined
  isSummary?: boolean | undefined
  encrypted?: Signature | undefined
  transcript?: string | undefined
  mimeType?: string | undefined
  cache?: CacheMark | undefined
  source?: Source | undefined
}
