import { isRecord, recordOf, stringOf } from '../../std/record'
import type { ReasoningPart, Signature } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { asList, ownSource } from './responses-json'

/**
 * Reasoning items: a summary for all to read, with some hosts (vLLM, gpt-oss) the thoughts themselves, and
 * `encrypted_content` that only the provider can read.
 * https://platform.openai.com/docs/guides/reasoning, https://cookbook.openai.com/articles/gpt-oss/handle-raw-cot
 */

/** How the texts of an item are joined where the neutral model has one. */
export const PARAGRAPH = '\n\n'

/** The parts that an item of type `reasoning` stands for: the summary, and the thoughts where it has both. */
export function parseReasoning(item: JsonObject): ReasoningPart[] {
  const summary = joinTexts(item.summary)
  const thoughts = joinTexts(item.content)
  const source = ownSource(item)
  const state = parseState(item)
  // Our own: thoughts that a client was shown as a summary.
  if (thoughts === '' && state.text !== undefined)
    return [{ type: 'reasoning', text: state.text, ...state.facts, source }]
  if (summary === '' || thoughts === '') {
    const isSummary = summary !== '' && { isSummary: true }
    const text = summary || thoughts
    return [{ type: 'reasoning', text, ...isSummary, ...state.facts, source }]
  }
  return [
    { type: 'reasoning', text: summary, isSummary: true, ...state.facts, source },
    { type: 'reasoning', text: thoughts, source },
  ]
}

function joinTexts(json: JsonValue | undefined): string {
  return asList(json)
    .flatMap((entry) => stringOf(entry, 'text') || [])
    .join(PARAGRAPH)
}

type ReasoningFacts = Pick<ReasoningPart, 'id' | 'encrypted' | 'signature'>

/** Only what is known: nothing of it stands as `undefined`. */
function toFacts(
  id: string | undefined,
  encrypted: Signature | undefined,
  signature: Signature | undefined
): ReasoningFacts {
  return {
    ...(id !== undefined && { id }),
    ...(encrypted && { encrypted }),
    ...(signature && { signature }),
  }
}

/**
 * The state in an item, and the thoughts that were packed with it: `encrypted_content` is either the provider's
 * own, or what `packState` made.
 */
export function parseState(item: JsonObject): { facts: ReasoningFacts; text?: string } {
  const id = stringOf(item, 'id') || undefined
  const content = stringOf(item, 'encrypted_content')
  if (!content) return { facts: toFacts(id, undefined, undefined) }
  const packed = content.startsWith(PACKED) ? unpack(content.slice(PACKED.length)) : undefined
  if (packed === undefined)
    return { facts: toFacts(id, { maker: 'openai', value: content }, undefined) }
  const facts = toFacts(
    // The item's own id is one of ours.
    stringOf(packed, 'id'),
    parseSignature(recordOf(packed, 'encrypted')),
    parseSignature(recordOf(packed, 'signature'))
  )
  const text = stringOf(packed, 'text')
  return text === undefined ? { facts } : { facts, text }
}

const PACKED = 'tollgate1.'

function unpack(base64: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, 'base64url').toString())
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function parseSignature(value: Record<string, unknown> | undefined): Signature | undefined {
  const maker = MAKERS.find((known) => known === value?.maker)
  const text = stringOf(value, 'value')
  return maker && text !== undefined ? { maker, value: text } : undefined
}

const MAKERS = ['anthropic', 'google', 'openai', 'other'] as const

/**
 * The state of a part as `encrypted_content`; `undefined` for none. What OpenAI's models made stands there as
 * it is. Other makers want a signature back together with the very thoughts it signs, and clients of this
 * format carry `encrypted_content` alone through a conversation: so that is where all of it goes. Thoughts that
 * are told as a summary (`summarizes`) go there too, so that they come back as what they were.
 */
export function packState(part: ReasoningPart, summarizes: boolean): string | undefined {
  const { encrypted, signature, id, isSummary } = part
  const isTaken = summarizes && !isSummary && part.text !== ''
  if (!encrypted && !signature && !isTaken) return undefined
  if (encrypted?.maker === 'openai' && !signature && !isTaken && id === undefined)
    return encrypted.value
  const text = isTaken || (signature && !isSummary && part.text !== '') ? part.text : undefined
  const state = JSON.stringify({ id, encrypted, signature, text })
  return `${PACKED}${Buffer.from(state).toString('base64url')}`
}
