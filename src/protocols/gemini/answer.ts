import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, stringOf } from '../../std/record'
import type { AnswerFacts } from '../protocol'
import { toErrorInAnswer } from './errors'
import { toUsage } from './usage'

const decoder = new TextDecoder()

/** Reads a whole answer of generateContent; throws when it is none, or holds an error. */
export function parseAnswer(body: Uint8Array): AnswerFacts {
  const text = decoder.decode(body)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed(text)
  }
  if (!isRecord(value)) throw malformed(text)
  if (value.error) throw toErrorInAnswer(value, text)
  const { candidates } = value
  const usage = toUsage(value.usageMetadata)
  if (Array.isArray(candidates) && candidates.length > 0)
    return {
      usage,
      finishReasons: candidates.map(
        (candidate) => stringOf(candidate, 'finishReason') ?? 'unknown'
      ),
    }
  const blockReason = stringOf(value.promptFeedback, 'blockReason')
  if (blockReason === undefined) throw malformed(text)
  return { usage, finishReasons: [blockReason] }
}

/** The error for an answer of status 200 that is none. */
export function malformed(text: string): GatewayError {
  return new GatewayError(
    'upstream_malformed',
    text.trim() === ''
      ? 'the provider answered 200 with an empty body'
      : `the provider answered 200 with what is not an answer: ${excerpt(text, 200)}`
  )
}
