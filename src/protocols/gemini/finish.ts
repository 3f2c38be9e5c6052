import { GatewayError } from '../../errors/gateway-error'
import type { Finish, FinishReason } from '../answer'

/**
 * Why a candidate ended: https://ai.google.dev/api/generate-content#FinishReason and
 * https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse
 */

const REASONS: Readonly<Record<string, FinishReason>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  /** The most tokens of one request; the answer may be gone on with. */
  CONTINUATION: 'length',
  SAFETY: 'content_filter',
  RECITATION: 'content_filter',
  LANGUAGE: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  MODEL_ARMOR: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
  IMAGE_PROHIBITED_CONTENT: 'content_filter',
  IMAGE_RECITATION: 'content_filter',
}

/** The model did not do its work: no finish of an answer, and a retry or another target may help. */
const FAILURES: ReadonlySet<string> = new Set([
  'OTHER',
  'MALFORMED_FUNCTION_CALL',
  'MALFORMED_RESPONSE',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'NO_IMAGE',
  'IMAGE_OTHER',
])

/**
 * The finish of a candidate. Throws `upstream_refused` for one that says the model failed. Calls end with `STOP`
 * like texts do, so `hasCalls` tells them apart.
 */
export function parseFinish(
  native: string,
  message: string | undefined,
  hasCalls: boolean
): Finish {
  if (FAILURES.has(native))
    throw new GatewayError(
      'upstream_refused',
      `the model failed to answer: ${native}${message === undefined ? '' : `: ${message}`}`
    )
  const reason = Object.hasOwn(REASONS, native) ? REASONS[native] : undefined
  // `STOP` explains itself; Google's sentence about it says nothing more.
  if (reason === 'stop') return { reason: hasCalls ? 'tool_calls' : 'stop', native }
  return { reason: reason ?? 'unknown', native, ...(message !== undefined && { detail: message }) }
}

/** The finish of an answer that was refused before it began: `promptFeedback`. */
export function parseBlock(blockReason: string, message: string | undefined): Finish {
  return {
    reason: 'content_filter',
    native: blockReason,
    ...(message !== undefined && { detail: message }),
  }
}

const RENDERED: Readonly<Partial<Record<FinishReason, string>>> = {
  stop: 'STOP',
  stop_sequence: 'STOP',
  tool_calls: 'STOP',
  length: 'MAX_TOKENS',
  context_window: 'MAX_TOKENS',
  content_filter: 'SAFETY',
  refusal: 'SAFETY',
}

export type RenderedFinish = {
  members: { finishReason: string; finishMessage?: string }
  /** What is read back is another finish. */
  isBlurred: boolean
}

/**
 * The members of a candidate that say why it ended. A reason that the format has no word for stands as its provider
 * spelled it.
 */
export function renderFinish(finish: Finish, hasCalls: boolean): RenderedFinish {
  const { reason, native, detail } = finish
  const finishReason =
    REASONS[native] === reason ? native : (RENDERED[reason] ?? (native || UNSPECIFIED))
  const message = typeof detail === 'string' && finishReason !== 'STOP' ? detail : undefined
  const read = FAILURES.has(finishReason) ? undefined : parseFinish(finishReason, message, hasCalls)
  return {
    members: { finishReason, ...(message !== undefined && { finishMessage: message }) },
    isBlurred:
      read?.reason !== reason ||
      finish.stopSequence !== undefined ||
      JSON.stringify(read.detail) !== JSON.stringify(detail),
  }
}

const UNSPECIFIED = 'FINISH_REASON_UNSPECIFIED'
