import { GatewayError } from '../../errors/gateway-error'
import type { Choice, Finish, FinishReason } from '../answer'

/** https://docs.cohere.com/v2/reference/chat; the last two are what older models say. */
const REASONS: Readonly<Record<string, FinishReason>> = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop_sequence',
  MAX_TOKENS: 'length',
  TOOL_CALL: 'tool_calls',
  ERROR_TOXIC: 'content_filter',
  ERROR_LIMIT: 'context_window',
}

const NATIVE: Readonly<Partial<Record<FinishReason, string>>> = {
  stop: 'COMPLETE',
  stop_sequence: 'STOP_SEQUENCE',
  length: 'MAX_TOKENS',
  context_window: 'MAX_TOKENS',
  tool_calls: 'TOOL_CALL',
  content_filter: 'ERROR_TOXIC',
  refusal: 'COMPLETE',
}

/**
 * The end as the neutral model has it; one of a name that is not known is `unknown`. Throws `upstream_refused` for
 * the provider's own failures, `ERROR` and `TIMEOUT`, which are no end of an answer; `detail` is what it says of them.
 */
export function parseFinish(native: string, detail: string | undefined): Finish {
  const reason = REASONS[native]
  if (reason !== undefined) return { reason, native }
  if (native === 'TIMEOUT' || native.startsWith('ERROR'))
    throw new GatewayError(
      'upstream_refused',
      `the provider gave up the answer with ${native}${detail ? `: ${detail}` : ''}`,
      { status: native === 'TIMEOUT' ? 504 : 502 }
    )
  return { reason: 'unknown', native }
}

/** Cohere's word for an end; one that has none is told as its provider spelled it. */
export function finishOf(choice: Choice | undefined): string {
  const finish = choice?.finish
  return (finish && NATIVE[finish.reason]) ?? (finish?.native || 'COMPLETE')
}
