import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, stringOf } from '../../std/record'
import type { JsonObject } from '../json'
import type { AnswerFacts, FrameMeaning, FrameReader } from '../protocol'
import { mergeUsage, type Usage } from '../usage'
import { asList, asObject, parseJson } from './converse-json'
import { toFrameError } from './errors'
import { toInvokeUsage, toMetricsUsage } from './invoke-usage'

/** What Bedrock adds to the last event of a stream, whoever made the model. */
export const METRICS = 'amazon-bedrock-invocationMetrics'

/**
 * The model's own event in a chunk of InvokeModelWithResponseStream, as text. Throws `upstream_refused` for an exception
 * and `upstream_malformed` for what is no chunk.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_PayloadPart.html
 */
export function readChunk(data: string, event: string | undefined): string {
  const error = toFrameError(data, event)
  if (error) throw error
  const bytes = stringOf(parseJson(data), 'bytes')
  if (bytes === undefined)
    throw new GatewayError(
      'upstream_malformed',
      `the provider sent a frame without bytes: ${excerpt(data, 120)}`
    )
  return Buffer.from(bytes, 'base64').toString()
}

/** Follows the frames of an InvokeModel stream that goes on as it is, whichever family's events it carries. */
export class InvokeFrameReader implements FrameReader {
  #finishReasons: string[] = []
  #usage: Usage | undefined
  #isDone = false

  read(data: string | undefined, event: string | undefined): FrameMeaning {
    if (data === undefined) return 'comment'
    const text = readChunk(data, event)
    const native = asObject(parseJson(text))
    if (native === undefined)
      throw new GatewayError(
        'upstream_malformed',
        `the provider sent a chunk that is not JSON: ${excerpt(text, 120)}`
      )
    const usage = toInvokeUsage(native)
    if (usage) this.#usage = mergeUsage(this.#usage, usage)
    const reasons = finishReasonsOf(native)
    if (reasons.length > 0) this.#finishReasons = reasons
    const metrics = native[METRICS]
    if (metrics === undefined) return isPreamble(native) ? 'preamble' : 'content'
    const counted = toMetricsUsage(metrics)
    if (counted) this.#usage = mergeUsage(this.#usage, counted)
    this.#isDone = true
    return 'done'
  }

  isComplete(): boolean {
    return this.#isDone || this.#finishReasons.length > 0
  }

  facts(): AnswerFacts {
    return { usage: this.#usage, finishReasons: [...this.#finishReasons] }
  }
}

/** Where the families say why they ended: Anthropic, Llama and Mistral, Titan, Nova, OpenAI. */
export function finishReasonsOf(native: JsonObject): string[] {
  const reasons = [
    stringOf(native.delta, 'stop_reason'),
    stringOf(native, 'stop_reason'),
    stringOf(native, 'completionReason'),
    stringOf(native, 'stopReason'),
    stringOf(native.messageStop, 'stopReason'),
    ...asList(native.results).map((result) => stringOf(result, 'completionReason')),
    ...asList(native.outputs).map((output) => stringOf(output, 'stop_reason')),
    ...asList(native.choices).map(
      (choice) => stringOf(choice, 'finish_reason') ?? stringOf(choice, 'stop_reason')
    ),
  ]
  return reasons.filter((reason) => reason !== undefined && reason !== '').map(String)
}

/** Anthropic's and Nova's first events, which say nothing yet. */
function isPreamble(native: JsonObject): boolean {
  const { type } = native
  if (type === 'message_start' || type === 'ping' || isRecord(native.messageStart)) return true
  const block = asObject(native.content_block)
  return type === 'content_block_start' && block?.type === 'text' && !block.text
}
