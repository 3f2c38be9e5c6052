import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { scanJsonObject } from '../../std/json-scan'
import { isRecord, stringOf } from '../../std/record'
import type { AnswerFacts } from '../protocol'
import { toErrorInAnswer } from './errors'
import { withTier } from '../usage'
import { toEmbeddingUsage, toUsage } from './usage'

const decoder = new TextDecoder()

/** Reads a whole chat completion or completion; throws when it is none, or holds an error. */
export function parseCompletion(body: Uint8Array): AnswerFacts {
  const text = decoder.decode(body)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed(text)
  }
  if (!isRecord(value)) throw malformed(text)
  if (value.error) throw toErrorInAnswer(value, text)
  if (!Array.isArray(value.choices) || value.choices.length === 0) throw malformed(text)
  const finishReasons: string[] = []
  for (const choice of value.choices)
    finishReasons.push(stringOf(choice, 'finish_reason') ?? 'unknown')
  return { usage: withTier(toUsage(value.usage), stringOf(value, 'service_tier')), finishReasons }
}

/** Reads an embedding answer without building its vectors. */
export function parseEmbeddings(body: Uint8Array): AnswerFacts {
  let usage: unknown
  let hasData = false
  let failed = false
  const scan = scanJsonObject(body, ['data', 'error', 'usage'], ({ name, start, end }) => {
    if (name === 'data') hasData = true
    if (name === 'error') failed = body[start] !== 0x6e
    if (name === 'usage') usage = JSON.parse(decoder.decode(body.subarray(start, end)))
  })
  if (scan.ok && failed) return parseCompletion(body)
  if (!scan.ok || !hasData) throw malformed(decoder.decode(body.subarray(0, 16_384)))
  return { usage: toEmbeddingUsage(usage), finishReasons: [] }
}

function malformed(text: string): GatewayError {
  return new GatewayError(
    'upstream_malformed',
    text.trim() === ''
      ? 'the provider answered 200 with an empty body'
      : `the provider answered 200 with what is not an answer: ${excerpt(text, 200)}`
  )
}
