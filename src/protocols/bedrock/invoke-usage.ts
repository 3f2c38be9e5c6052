import { countOf } from '../../std/record'
import type { JsonObject, JsonValue } from '../json'
import { NO_USAGE, type Usage } from '../usage'
import { asList, asObject } from './converse-json'
import { toUsage } from './usage'

/**
 * The counts in a model's own answer or event. Each family has its own names for them; `undefined` where there are none.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
 */
export function toInvokeUsage(native: JsonObject): Usage | undefined {
  const usage =
    asObject(native.usage) ??
    asObject(asObject(native.message)?.usage) ??
    asObject(asObject(native.metadata)?.usage)
  const [result] = asList(native.results)
  return (
    toAnthropicUsage(usage) ??
    toUsage(usage) ??
    toPlainUsage(countOf(usage, 'prompt_tokens'), countOf(usage, 'completion_tokens')) ??
    toPlainUsage(
      countOf(native, 'prompt_token_count') ?? countOf(native, 'inputTextTokenCount'),
      countOf(native, 'generation_token_count') ??
        countOf(native, 'totalOutputTextTokenCount') ??
        countOf(result, 'tokenCount')
    )
  )
}

/** Bedrock's own counts at the end of a stream, whose input leaves out what came from caches. */
export function toMetricsUsage(metrics: JsonValue | undefined): Usage | undefined {
  return fromParts(
    countOf(metrics, 'inputTokenCount'),
    countOf(metrics, 'outputTokenCount'),
    countOf(metrics, 'cacheReadInputTokenCount'),
    countOf(metrics, 'cacheWriteInputTokenCount')
  )
}

/** https://platform.claude.com/docs/en/api/messages */
function toAnthropicUsage(usage: JsonObject | undefined): Usage | undefined {
  const counted = fromParts(
    countOf(usage, 'input_tokens'),
    countOf(usage, 'output_tokens'),
    countOf(usage, 'cache_read_input_tokens'),
    countOf(usage, 'cache_creation_input_tokens')
  )
  const hour = countOf(usage?.cache_creation, 'ephemeral_1h_input_tokens')
  return counted && hour !== undefined ? { ...counted, cacheWrite1hTokens: hour } : counted
}

function fromParts(
  fresh: number | undefined,
  outputTokens: number | undefined,
  cacheReadTokens: number | undefined,
  cacheWriteTokens: number | undefined
): Usage | undefined {
  if (fresh === undefined && outputTokens === undefined) return undefined
  const cached = (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0)
  const inputTokens = fresh === undefined ? undefined : fresh + cached
  return { ...NO_USAGE, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }
}

function toPlainUsage(
  inputTokens: number | undefined,
  outputTokens: number | undefined
): Usage | undefined {
  if (inputTokens === undefined && outputTokens === undefined) return undefined
  return { ...NO_USAGE, inputTokens, outputTokens }
}
