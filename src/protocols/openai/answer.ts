import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { type JsonMember, scanJsonObject } from '../../std/json-scan'
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
  const { usage } = scanAnswer(body, ['data', 'usage'])
  const read: unknown = usage && JSON.parse(decoder.decode(body.subarray(usage.start, usage.end)))
  return { usage: toEmbeddingUsage(read), finishReasons: [] }
}

export type FoundAnswer = { [name: string]: JsonMember | undefined }

/** Where members of a whole answer stand. Throws where it is none: without the one that has to be there, the first unless told. */
export function scanAnswer(
  body: Uint8Array,
  names: readonly string[],
  required: string | false | undefined = names[0]
): FoundAnswer {
  const found: FoundAnswer = {}
  let failed = false
  const scan = scanJsonObject(body, [...names, 'error'], (member) => {
    if (member.name === 'error') failed = body[member.start] !== NULL
    else found[member.name] = member
  })
  if (scan.ok && failed) parseCompletion(body)
  if (!scan.ok || (required && found[required] === undefined))
    throw malformed(decoder.decode(body.subarray(0, 16_384)))
  return found
}

/** How a `null` begins. */
const NULL = 0x6e

function malformed(text: string): GatewayError {
  return new GatewayError(
    'upstream_malformed',
    text.trim() === ''
      ? 'the provider answered 200 with an empty body'
      : `the provider answered 200 with what is not an answer: ${excerpt(text, 200)}`
  )
}
