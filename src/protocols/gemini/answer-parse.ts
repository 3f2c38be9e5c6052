import { stringOf } from '../../std/record'
import type { Answer, Choice } from '../answer'
import type { Part } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { malformed } from './answer'
import { parseGroundings, placeCitation } from './citations'
import { toErrorInAnswer } from './errors'
import { parseBlock, parseFinish } from './finish'
import { parseLogprobs } from './logprobs'
import { asList, asObject, ownSource } from './members'
import { parsePart } from './parts'
import { toUsage } from './usage'

/**
 * Reads a whole answer of generateContent. Throws `upstream_refused` for an error in its place or a candidate that
 * failed, and `upstream_malformed` for what is none. A prompt that was blocked is an answer without content.
 * https://ai.google.dev/api/generate-content#GenerateContentResponse
 */
export function parseChatAnswer(json: JsonValue): Answer {
  const body = asObject(json)
  if (body?.error) throw toErrorInAnswer(body, JSON.stringify(body))
  if (body === undefined) throw malformed(JSON.stringify(json) ?? '')
  const choices = parseChoices(body)
  if (choices.length === 0) throw malformed(JSON.stringify(json))
  return {
    ...parseHead(body),
    choices,
    usage: toUsage(body.usageMetadata),
    source: ownSource(body),
  }
}

/** What an answer and each of its frames say of the answer. */
export function parseHead(body: JsonObject): Pick<Answer, 'id' | 'model' | 'createdAt'> {
  const time = Date.parse(stringOf(body, 'createTime') ?? '')
  return {
    id: stringOf(body, 'responseId') || undefined,
    model: stringOf(body, 'modelVersion') || undefined,
    createdAt: Number.isNaN(time) ? undefined : Math.floor(time / 1_000),
  }
}

function parseChoices(body: JsonObject): Choice[] {
  const candidates = asList(body.candidates).map((json) => asObject(json) ?? {})
  if (candidates.length > 0)
    return candidates
      .map((candidate, at) => ({ candidate, index: indexOf(candidate) ?? at }))
      .sort((a, b) => a.index - b.index)
      .map(({ candidate, index }) => parseChoice(candidate, index, body))
  const blocked = stringOf(body.promptFeedback, 'blockReason')
  if (blocked === undefined) return []
  const message = stringOf(body.promptFeedback, 'blockReasonMessage')
  return [{ parts: [], finish: parseBlock(blocked, message) }]
}

/** A candidate's index, which Google leaves out of some answers where it is 0. */
export function indexOf({ index }: JsonObject): number | undefined {
  return typeof index === 'number' ? index : undefined
}

function parseChoice(candidate: JsonObject, index: number, body: JsonObject): Choice {
  const listed = asList(asObject(candidate.content)?.parts)
  const placed = listed.flatMap((json, at) => {
    const part = asObject(json)
    if (part === undefined || saysNothing(part)) return []
    const makeId = () => madeCallId(stringOf(body, 'responseId'), index, at, part)
    return [{ at, part: parsePart(part, makeId) }]
  })
  const parts = placed.map(({ part }) => part)
  const hasCalls = parts.some(({ type }) => type === 'tool_call')
  const logprobs = parseLogprobs(candidate)
  cite(placed, parts, candidate)
  const message = stringOf(candidate, 'finishMessage')
  return {
    parts,
    finish: parseFinish(stringOf(candidate, 'finishReason') ?? '', message, hasCalls),
    ...(logprobs.length > 0 && { logprobs }),
  }
}

/** An empty text, with which Google ends some answers. */
export function saysNothing(part: JsonObject): boolean {
  return part.text === '' && !part.thoughtSignature
}

/**
 * The id of a call that Google gave none: another in each answer, since what is remembered of a call is found by it.
 */
export function madeCallId(
  answerId: string | undefined,
  candidate: number,
  call: number,
  part: JsonObject
): string {
  const unique = answerId?.replaceAll(/[^A-Za-z0-9]/g, '').slice(-24)
  return `call_${unique || Bun.hash(JSON.stringify(part)).toString(36)}_${candidate}_${call}`
}

type Placed = { at: number; part: Part }

/** Puts the citations to the texts that they name, or the last. */
function cite(placed: readonly Placed[], parts: Part[], candidate: JsonObject): void {
  const texts = placed.flatMap(({ at, part }) => (part.type === 'text' ? [{ at, part }] : []))
  for (const grounding of parseGroundings(candidate)) {
    const isPlaced = grounding.endByte !== undefined
    const named = isPlaced ? texts.find(({ at }) => at >= grounding.partIndex) : undefined
    let found = (named ?? texts.at(-1))?.part
    if (found === undefined) {
      found = { type: 'text', text: '' }
      texts.push({ at: placed.length, part: found })
      parts.push(found)
    }
    ;(found.citations ??= []).push(placeCitation(grounding, found.text))
  }
}
