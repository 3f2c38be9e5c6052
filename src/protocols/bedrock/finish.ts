import { GatewayError } from '../../errors/gateway-error'
import { recordOf, stringOf } from '../../std/record'
import type { Finish, FinishReason } from '../answer'
import type { JsonValue } from '../json'
import type { Losses } from '../losses'
import { asObject } from './converse-json'

/**
 * Why a model ended its turn:
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseResponse.html. `refusal` and
 * `pause_turn` are Anthropic's own words, which Bedrock lets pass for newer models.
 */
const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  tool_use: 'tool_calls',
  max_tokens: 'length',
  stop_sequence: 'stop_sequence',
  guardrail_intervened: 'content_filter',
  content_filtered: 'content_filter',
  model_context_window_exceeded: 'context_window',
  refusal: 'refusal',
  pause_turn: 'pause',
}

/** What Bedrock calls a reason; where it has several words for one, the first that a model says by itself. */
const NATIVE: Readonly<Record<Exclude<FinishReason, 'unknown'>, string>> = {
  stop: 'end_turn',
  tool_calls: 'tool_use',
  length: 'max_tokens',
  stop_sequence: 'stop_sequence',
  content_filter: 'content_filtered',
  context_window: 'model_context_window_exceeded',
  refusal: 'refusal',
  pause: 'pause_turn',
}

/** The model failed: what it said can't be read, and is no answer. */
export function isMalformed(stopReason: string): boolean {
  return stopReason === 'malformed_model_output' || stopReason === 'malformed_tool_use'
}

/** That failure, as Bedrock would have told it by a status. */
export function toModelFailure(stopReason: string): GatewayError {
  return new GatewayError(
    'upstream_refused',
    `the provider could not read what its model said (${stopReason})`,
    { status: 424 }
  )
}

/** A stop reason and what stands beside it. Throws `upstream_refused` where it tells of a failure of the model. */
export function parseFinish(stopReason: string, fields: JsonValue | undefined): Finish {
  if (isMalformed(stopReason)) throw toModelFailure(stopReason)
  const finish: Finish = {
    reason: Object.hasOwn(REASONS, stopReason) ? (REASONS[stopReason] ?? 'unknown') : 'unknown',
    native: stopReason,
  }
  const stopSequence = stopSequenceOf(fields)
  return stopSequence === undefined ? finish : { ...finish, stopSequence }
}

/** Bedrock gives it where `/stop_sequence` was asked for: whole at the top, in a stream within Anthropic's `delta`. */
function stopSequenceOf(fields: JsonValue | undefined): string | undefined {
  const top = asObject(fields)
  return stringOf(top, 'stop_sequence') ?? stringOf(recordOf(top, 'delta'), 'stop_sequence')
}

/** Bedrock's word for a finish: the provider's own where it is Bedrock's, or where no list has it. */
export function renderStopReason(finish: Finish, losses: Losses): string {
  const { reason, native, detail } = finish
  if (detail !== undefined) losses.drop('stop_details')
  if (Object.hasOwn(REASONS, native) && REASONS[native] === reason) return native
  return reason === 'unknown' ? native || 'unknown' : NATIVE[reason]
}
