import type { GatewayError } from '../../errors/gateway-error'
import { stringOf } from '../../std/record'
import type { Finish, FinishReason } from '../answer'
import type { JsonObject } from '../json'
import { asObject } from './chat-json'
import { toErrorInAnswer } from './errors'

/**
 * Why a choice ended: `finish_reason`, and beside it OpenRouter's `native_finish_reason` and vLLM's
 * `stop_reason`. https://platform.openai.com/docs/api-reference/chat/object,
 * https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
 */

const REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
  /** Together's, where the model ended by its own mark. */
  eos: 'stop',
  /** Mistral's. */
  model_length: 'context_window',
}

/** What a host that bridges to another API says of a reason that this one has no word for. */
const NATIVE_REASONS: Readonly<Record<string, FinishReason>> = {
  stop_sequence: 'stop_sequence',
  model_context_window_exceeded: 'context_window',
  model_length: 'context_window',
  refusal: 'refusal',
  pause_turn: 'pause',
}

/** Mistral's and OpenRouter's, and DeepSeek's, for a failure of their own. */
const FAILURES: ReadonlySet<string> = new Set(['error', 'insufficient_system_resource'])

/** Words that some hosts repeat in `stop_reason`, where vLLM has the stop sequence. */
const NO_SEQUENCES: ReadonlySet<string> = new Set([
  'stop',
  'eos',
  'end_turn',
  'stop_sequence',
  'length',
  'max_tokens',
  'tool_use',
  'tool_calls',
])

/**
 * The finish of a choice of an answer or frame; `undefined` while it has none. Throws `upstream_refused`
 * where it says that the provider failed. `hasCalls`: OpenAI says `stop` of calls that it was forced to
 * make.
 */
export function parseFinish(choice: JsonObject, hasCalls: boolean): Finish | undefined {
  const reason = stringOf(choice, 'finish_reason')
  const error = asObject(choice.error)
  if (error) throw toErrorInAnswer({ error }, JSON.stringify({ error }))
  // Some hosts say '' until there is one.
  if (!reason) return undefined
  if (FAILURES.has(reason)) throw toFailure(reason)
  const native = stringOf(choice, 'native_finish_reason') || reason
  const known = REASONS[reason] ?? 'unknown'
  const sequence = stringOf(choice, 'stop_reason')
  if (known === 'stop' && sequence && !NO_SEQUENCES.has(sequence))
    return { reason: 'stop_sequence', native, stopSequence: sequence }
  const meant = NATIVE_REASONS[native] ?? known
  return { reason: meant === 'stop' && hasCalls ? 'tool_calls' : meant, native }
}

function toFailure(reason: string): GatewayError {
  const error = { message: `the model's host failed: ${reason}`, type: reason, code: 503 }
  return toErrorInAnswer({ error }, JSON.stringify({ error }))
}

const RENDERED: Readonly<Partial<Record<FinishReason, string>>> = {
  stop: 'stop',
  stop_sequence: 'stop',
  length: 'length',
  context_window: 'length',
  tool_calls: 'tool_calls',
  content_filter: 'content_filter',
  refusal: 'content_filter',
}

/**
 * What the provider says of a refusal beside the answer's parts, which a client of this format looks for in
 * the message; `undefined` where it says nothing.
 */
export function refusalOf({ reason, detail }: Finish): string | undefined {
  if (reason !== 'refusal') return undefined
  return typeof detail === 'string' ? detail : stringOf(detail, 'explanation')
}

/** Reasons that only the native spelling tells apart from others. */
const NARROW: ReadonlySet<FinishReason> = new Set([
  'stop_sequence',
  'context_window',
  'refusal',
  'pause',
])

/** What `renderFinish` writes is read as another reason: the words that tell them apart are missing. */
export function isFinishBlurred({ reason, native, stopSequence }: Finish): boolean {
  if (reason === 'stop_sequence' && stopSequence !== undefined) return false
  return NARROW.has(reason) && NATIVE_REASONS[native] !== reason
}

/**
 * The members of a choice that say why it ended. A reason that the format has no word for stands as its
 * provider spelled it; so does, beside the nearest word, one that means more than that word.
 */
export function renderFinish(
  finish: Finish,
  isLegacy: boolean
): JsonObject & { finish_reason: string } {
  const { reason, native, stopSequence } = finish
  const known = RENDERED[reason]
  if (known === undefined) return { finish_reason: native || reason }
  const isPlain = reason === 'stop' || reason === 'length' || reason === 'tool_calls'
  return {
    finish_reason: reason === 'tool_calls' && isLegacy ? 'function_call' : known,
    ...(!isPlain && native !== '' && native !== known && { native_finish_reason: native }),
    ...(stopSequence !== undefined && { stop_reason: stopSequence }),
  }
}
