import { recordOf, stringOf } from '../../std/record'
import type { Finish } from '../answer'
import type { Part } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'

/**
 * Why an answer ended: the format has a status, and a reason where the answer is incomplete.
 * https://platform.openai.com/docs/api-reference/responses/object
 */

const INCOMPLETE: Readonly<Record<string, Finish['reason']>> = {
  max_output_tokens: 'length',
  content_filter: 'content_filter',
}

/** Reads the end of a response that has these parts. One that is still being made ends for reasons unknown. */
export function parseFinish(response: JsonObject, parts: readonly Part[]): Finish {
  const status = stringOf(response, 'status') ?? 'completed'
  const native = stringOf(recordOf(response, 'incomplete_details'), 'reason') ?? status
  if (status !== 'completed') return { reason: INCOMPLETE[native] ?? 'unknown', native }
  const hasCalls = parts.some(({ type }) => type === 'tool_call')
  return { reason: hasCalls ? 'tool_calls' : 'stop', native }
}

/** Why answers that are incomplete are that; all others are completed, but for reasons that nobody knows. */
const REASONS: Readonly<Partial<Record<Finish['reason'], string>>> = {
  length: 'max_output_tokens',
  context_window: 'max_output_tokens',
  content_filter: 'content_filter',
  refusal: 'content_filter',
}

const COMPLETE: ReadonlySet<Finish['reason']> = new Set(['stop', 'stop_sequence', 'tool_calls'])

/** The end as members of a response: a reason that the format has no word for stands there as it is. */
export function renderFinish(
  finish: Finish,
  losses: Losses
): { status: string; incomplete_details: JsonObject | null } {
  const { reason, native, stopSequence, detail } = finish
  const isBlurred = reason === 'context_window' || reason === 'refusal'
  if (isBlurred || stopSequence !== undefined || detail !== undefined)
    losses.rewrite('choices.0.finish_reason')
  if (COMPLETE.has(reason)) return { status: 'completed', incomplete_details: null }
  const told = REASONS[reason] ?? (native || 'unknown')
  return { status: 'incomplete', incomplete_details: { reason: told } }
}
