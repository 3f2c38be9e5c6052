import type { Answer, Choice } from '../answer'
import type { AnswerContext } from '../chat-protocol'
import type { Part } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { type CitingText, renderGrounding } from './citations'
import { renderFinish } from './finish'
import { renderLogprobs } from './logprobs'
import { ownObject } from './members'
import { renderPart } from './parts-render'
import { renderUsage } from './usage'

/**
 * Writes a whole answer of generateContent; one that came in this format leaves as it was. Losses are told by the
 * choice and the part's place in it, e.g. `choices.0.message.content.2`.
 * https://ai.google.dev/api/generate-content#GenerateContentResponse
 */
export function renderChatAnswer(
  answer: Answer,
  context: AnswerContext,
  losses: Losses
): JsonObject {
  const own = ownObject(answer.source)
  if (own) return own
  reportHead(answer, losses)
  return {
    candidates: answer.choices.map((choice, index) => renderChoice(choice, index, losses)),
    ...(answer.usage && { usageMetadata: renderUsage(answer.usage, losses) }),
    ...answerHead(answer, context),
  }
}

type Head = Pick<Answer, 'id' | 'model' | 'createdAt' | 'serviceTier'>

/** What every frame of an answer repeats: its own id and model, and ours where its provider says none. */
export function answerHead(answer: Head, context: AnswerContext): JsonObject {
  const { id, model, createdAt } = answer
  return {
    modelVersion: model ?? context.model,
    ...(createdAt !== undefined && { createTime: new Date(createdAt * 1_000).toISOString() }),
    responseId: id ?? context.requestId,
  }
}

/** What an answer says of itself and the format has no member for. */
export function reportHead(answer: Head, losses: Losses): void {
  if (answer.serviceTier !== undefined) losses.drop('service_tier')
}

function renderChoice(choice: Choice, index: number, losses: Losses): JsonObject {
  const path = `choices.${index}`
  const { parts, citing } = renderParts(choice.parts, `${path}.message.content`, losses)
  const hasCalls = choice.parts.some(({ type }) => type === 'tool_call')
  const { members, isBlurred } = renderFinish(choice.finish, hasCalls)
  if (isBlurred) losses.rewrite(`${path}.finish_reason`)
  const groundingMetadata = renderGrounding(citing, losses)
  return {
    content: { parts: parts.length > 0 ? parts : [{ text: '' }], role: 'model' },
    ...members,
    index,
    ...(groundingMetadata && { groundingMetadata }),
    ...(choice.logprobs && { logprobsResult: renderLogprobs(choice.logprobs, path, losses) }),
  }
}

function renderParts(
  given: readonly Part[],
  path: string,
  losses: Losses
): { parts: JsonObject[]; citing: CitingText[] } {
  const parts: JsonObject[] = []
  const citing: CitingText[] = []
  given.forEach((part, at) => {
    const partPath = `${path}.${at}`
    const rendered = renderAnswerPart(part, partPath, losses)
    const before = parts.at(-1)
    const joined = joinTexts(before, rendered)
    const partIndex = joined ? parts.length - 1 : parts.length
    if (part.type === 'text' && part.citations)
      citing.push({
        text: part.text,
        citations: part.citations,
        partIndex,
        offset: joined ? bytesOf(before) : 0,
        path: partPath,
        isLast: false,
      })
    if (joined) losses.rewrite(path)
    if (rendered) parts[partIndex] = joined ?? rendered
  })
  const last = parts.findLastIndex(({ text, thought }) => text !== undefined && thought !== true)
  for (const text of citing) text.isLast = text.partIndex >= last
  return { parts, citing }
}

/**
 * Neighbouring texts of one kind as one, unless the first is signed: Google's answers have no two in a row, and readers
 * of a stream put them together. `undefined` for what is to stay apart.
 */
export function joinTexts(
  before: JsonObject | undefined,
  part: JsonObject | undefined
): JsonObject | undefined {
  if (before === undefined || part === undefined) return undefined
  const isText = typeof before.text === 'string' && typeof part.text === 'string'
  const isSigned = before.thoughtSignature !== undefined
  if (!isText || isSigned || before.thought !== part.thought) return undefined
  return { ...part, text: `${before.text}${part.text}` }
}

/** The length of a part's text in bytes. */
export function bytesOf(part: JsonObject | undefined): number {
  return typeof part?.text === 'string' ? Buffer.byteLength(part.text) : 0
}

/** A part of an answer; citations stand beside it. `undefined` for what says nothing, or can't be said. */
export function renderAnswerPart(part: Part, path: string, losses: Losses): JsonObject | undefined {
  if (part.type === 'tool_result') {
    losses.drop(path)
    return undefined
  }
  if (part.type !== 'text') return renderPart(part, path, losses)
  const { citations: _, ...plain } = part
  const rendered = renderPart(plain, path, losses)
  return rendered?.text === '' && rendered.thoughtSignature === undefined ? undefined : rendered
}
