import type { z } from 'zod'
import { stringOf } from '../../std/record'
import { type Answer, type Call, type Endpoint, type Frame, textFrame } from '../protocol'

/** Everything that has to fit before an endpoint makes its answer. */
export function postEndpoint<T>(
  schema: z.ZodType<T>,
  answer: (request: T, call: Call) => Answer
): Endpoint {
  return {
    method: 'POST',
    model: (_, body) => stringOf(body, 'model') ?? '',
    answer(call) {
      if (call.model === '') return refuse('you must provide a model parameter', 'model')
      const parsed = schema.safeParse(call.body)
      if (parsed.success) return answer(parsed.data, call)
      const [issue] = parsed.error.issues
      const param = issue?.path.join('.') ?? ''
      return refuse(`Invalid value for '${param}': ${issue?.message}.`, param, 'invalid_value')
    },
  }
}

/** A 400 that names the parameter at fault. */
export function refuse(message: string, param: string, code: string | null = null): Answer {
  return { kind: 'refused', failure: { status: 400, code, message, param } }
}

/** A frame of a stream around the JSON of one chunk. */
export function sseFrame(
  part: 'start' | 'content' | 'finish' | 'usage',
  chunk: unknown,
  tokens = 0
): Frame {
  return textFrame(part, `data: ${JSON.stringify(chunk)}\n\n`, tokens)
}

/** What ends every complete stream. */
export const DONE_FRAME: Frame = textFrame('end', 'data: [DONE]\n\n')

/** Usage as chat and legacy completions report it. */
export function usageOf(promptTokens: number, completionTokens: number, reasoningTokens = 0) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}
