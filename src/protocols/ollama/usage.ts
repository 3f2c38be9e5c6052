import { countOf } from '../../std/record'
import type { JsonObject } from '../json'
import { NO_USAGE, type Usage } from '../usage'

/**
 * Reads the counts of an answer's last object. What a prompt shared with the one before may be left out of
 * `prompt_eval_count`, or the whole of it: then it is unknown. https://docs.ollama.com/api/usage
 */
export function parseUsage(last: unknown): Usage | undefined {
  const inputTokens = countOf(last, 'prompt_eval_count')
  const outputTokens = countOf(last, 'eval_count')
  if (inputTokens === undefined && outputTokens === undefined) return undefined
  return { ...NO_USAGE, inputTokens, outputTokens }
}

/** The counts as a client of this format reads them; unknown ones are left out. */
export function renderUsage(usage: Usage | undefined): JsonObject {
  return {
    ...(usage?.inputTokens !== undefined && { prompt_eval_count: usage.inputTokens }),
    ...(usage?.outputTokens !== undefined && { eval_count: usage.outputTokens }),
  }
}
