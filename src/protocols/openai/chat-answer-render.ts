import type { Answer, Choice, TokenLogprob } from '../answer'
import type { AnswerContext } from '../chat-protocol'
import type { Citation, MediaPart, NativePart, Part, ReasoningPart } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import type { Usage } from '../usage'
import { isFinishBlurred, refusalOf, renderFinish } from './chat-finish'
import { asObject, ownObject, ownJson } from './chat-json'
import { imageUrl } from './chat-media'
import { renderCall } from './chat-messages-render'
import { shiftCitation } from './chat-parts'
import { DETAIL, renderReasoning } from './chat-reasoning'

/**
 * Writes a whole chat completion; one that came in this format leaves as it was. Losses are told by the
 * choice and the part's place in it, e.g. `choices.0.message.content.2`.
 * https://platform.openai.com/docs/api-reference/chat/object
 */
export function renderChatAnswer(
  answer: Answer,
  context: AnswerContext,
  losses: Losses
): JsonObject {
  const own = ownObject(answer.source)
  if (own) return own
  const head = answerHead(answer, context)
  const choices = answer.choices.map((choice, index) =>
    renderChoice(choice, index, head, context, losses)
  )
  return {
    id: head.id,
    object: 'chat.completion',
    created: head.created,
    model: head.model,
    choices,
    ...(answer.usage && { usage: renderUsage(answer.usage, losses) }),
    ...(head.serviceTier !== undefined && { service_tier: head.serviceTier }),
  }
}

/** What every frame of an answer repeats. */
export type AnswerHead = {
  id: string
  created: number
  model: string
  serviceTier: string | undefined
}

/** The answer's own id, time and model, and ours where its provider says none. */
export function answerHead(
  answer: Pick<Answer, 'id' | 'model' | 'createdAt' | 'serviceTier'>,
  context: AnswerContext
): AnswerHead {
  return {
    id: answer.id ?? `chatcmpl-${context.requestId}`,
    created: answer.createdAt ?? context.createdAt,
    model: answer.model ?? context.model,
    serviceTier: answer.serviceTier,
  }
}

/** The client wrote `functions` in place of `tools`, and knows answers in that spelling alone. */
export function isLegacyRequest({ request }: AnswerContext): boolean {
  const body = ownObject(request.source)
  return Array.isArray(body?.functions) && !body.tools
}

type Pieces = {
  reasoning: (ReasoningPart | NativePart)[]
  /** `undefined` until a text comes. */
  content: string | undefined
  refusal: string | undefined
  annotations: JsonObject[]
  audio: JsonObject | undefined
  images: JsonObject[]
  calls: JsonObject[]
}

function renderChoice(
  choice: Choice,
  index: number,
  head: AnswerHead,
  context: AnswerContext,
  losses: Losses
): JsonObject {
  const { parts, finish, logprobs } = choice
  const path = `choices.${index}`
  const isLegacy = isLegacyRequest(context)
  const pieces: Pieces = {
    reasoning: [],
    content: undefined,
    refusal: undefined,
    annotations: [],
    audio: undefined,
    images: [],
    calls: [],
  }
  parts.forEach((part, at) => addPiece(pieces, part, `${path}.message.content.${at}`, head, losses))
  pieces.refusal ??= refusalOf(finish)
  if (isShuffled(parts)) losses.rewrite(`${path}.message.content`)
  if (isFinishBlurred(finish)) losses.rewrite(`${path}.finish_reason`)
  if (finish.detail !== undefined) losses.rewrite(`${path}.finish_reason`)
  return {
    index,
    message: renderMessage(pieces, isLegacy, path, losses),
    logprobs: logprobs === undefined ? null : renderLogprobs(logprobs),
    ...renderFinish(finish, isLegacy && pieces.calls.length > 0),
  }
}

function renderMessage(
  pieces: Pieces,
  isLegacy: boolean,
  path: string,
  losses: Losses
): JsonObject {
  const { reasoning, content, refusal, annotations, audio, images, calls } = pieces
  if (isLegacy && calls.length > 1) losses.drop(`${path}.message.tool_calls`)
  const said = {
    ...renderReasoning(reasoning, true),
    ...(annotations.length > 0 && { annotations }),
    ...(audio && { audio }),
    ...(images.length > 0 && { images }),
    ...(calls.length > 0 &&
      (isLegacy ? { function_call: legacyCall(calls[0]) } : { tool_calls: calls })),
  }
  // Of an answer that says nothing at all the content is empty, else there is none beside what it says.
  const isEmpty = !refusal && Object.keys(said).length === 0
  return {
    role: 'assistant',
    content: content ?? (isEmpty ? '' : null),
    refusal: refusal || null,
    ...said,
  }
}

function legacyCall(call: JsonObject | undefined): JsonObject {
  return asObject(call?.function) ?? asObject(call?.custom) ?? {}
}

function addPiece(
  pieces: Pieces,
  part: Part,
  path: string,
  head: AnswerHead,
  losses: Losses
): void {
  if (part.type === 'text') {
    const offset = pieces.content?.length ?? 0
    pieces.content = (pieces.content ?? '') + part.text
    if (part.signature) losses.drop(`${path}.signature`)
    for (const citation of part.citations ?? []) {
      const annotation = renderAnnotation(citation, offset, part.text.length, path, losses)
      if (annotation) pieces.annotations.push(annotation)
    }
  } else if (part.type === 'refusal') pieces.refusal = (pieces.refusal ?? '') + part.text
  else if (part.type === 'reasoning' || isDetail(part)) pieces.reasoning.push(part)
  else if (part.type === 'tool_call') pieces.calls.push(renderCall(part, path, losses))
  else if (part.type === 'media') addMedia(pieces, part, path, head, losses)
  else losses.drop(path)
}

function isDetail(part: Part): part is NativePart {
  return (
    part.type === 'native' && part.name.startsWith(DETAIL) && ownJson(part.source) !== undefined
  )
}

function addMedia(
  pieces: Pieces,
  part: MediaPart,
  path: string,
  head: AnswerHead,
  losses: Losses
): void {
  const image = part.media === 'image' ? renderImage(part) : undefined
  if (image) pieces.images.push(image)
  else if (part.media === 'audio' && 'base64' in part.data && pieces.audio === undefined) {
    const { id, ...rest } = audioEnd(part.transcript, head)
    pieces.audio = { id, data: part.data.base64, ...rest }
  } else return losses.drop(path)
  reportShownMedia(part, path, losses)
}

/** Tells what an image or sound of an answer has no place for. */
export function reportShownMedia(part: MediaPart, path: string, losses: Losses): void {
  if (ownObject(part.source)) return
  const { signature, name, detail, transcript, mimeType, media, data } = part
  if (signature) losses.drop(`${path}.signature`)
  if (name !== undefined) losses.drop(`${path}.name`)
  if (detail !== undefined) losses.drop(`${path}.detail`)
  if (media === 'image' && transcript !== undefined) losses.drop(`${path}.transcript`)
  const isTyped = media === 'image' && 'base64' in data
  if (isTyped === (mimeType === undefined)) losses.rewrite(`${path}.mime_type`)
}

/**
 * An entry of OpenRouter's `message.images`:
 * https://openrouter.ai/docs/features/multimodal/image-generation
 */
export function renderImage(part: MediaPart): JsonObject | undefined {
  const own = ownObject(part.source)
  const url = imageUrl(part)
  if (own || url === undefined) return own
  return { type: 'image_url', image_url: { url } }
}

/** What stands beside a sound's data. No one keeps it, so its id was good until the answer was made. */
export function audioEnd(
  transcript: string | undefined,
  { id, created }: AnswerHead
): { id: string; expires_at: number; transcript: string } {
  return { id: `audio_${id}`, expires_at: created, transcript: transcript ?? '' }
}

/**
 * An annotation of the whole content, in which the citing text begins at `offset`; one that tells no place
 * in it stands for the whole text. `undefined`, and reported, for a source without an address.
 */
export function renderAnnotation(
  citation: Citation,
  offset: number,
  length: number,
  path: string,
  losses: Losses
): JsonObject | undefined {
  const own = ownObject(citation.source)
  if (own?.type !== undefined && offset === 0) return own
  const { url, title, citedText, startIndex, endIndex } = citation
  if (url === undefined) {
    losses.drop(`${path}.citations`)
    return undefined
  }
  if (citation.documentIndex !== undefined) losses.drop(`${path}.citations`)
  const isPlaced = startIndex !== undefined && endIndex !== undefined
  if (!isPlaced) losses.rewrite(`${path}.citations`)
  const place = shiftCitation(
    isPlaced ? citation : { ...citation, startIndex: 0, endIndex: length },
    offset
  )
  return {
    type: 'url_citation',
    url_citation: {
      start_index: place.startIndex,
      end_index: place.endIndex,
      url,
      title: title ?? '',
      ...(citedText !== undefined && { content: citedText }),
    },
  }
}

/** `logprobs` of a choice. */
export function renderLogprobs(tokens: readonly TokenLogprob[]): JsonObject {
  const content = tokens.map(({ top, ...token }) => ({
    ...renderToken(token),
    top_logprobs: top.map(renderToken),
  }))
  return { content, refusal: null }
}

function renderToken({ token, logprob, bytes }: Omit<TokenLogprob, 'top'>): JsonObject {
  return { token, logprob, bytes: bytes ?? null }
}

/** `usage`: only counts that are known, and their sum where both are. */
export function renderUsage(usage: Usage, losses: Losses): JsonObject {
  const { inputTokens, outputTokens } = usage
  if (usage.cacheWrite1hTokens) losses.drop('usage.cache_write_1h_tokens')
  const input = known({
    cached_tokens: usage.cacheReadTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    audio_tokens: usage.audioInputTokens,
  })
  const output = known({
    reasoning_tokens: usage.reasoningTokens,
    audio_tokens: usage.audioOutputTokens,
  })
  const isWhole = inputTokens !== undefined && outputTokens !== undefined
  return {
    ...known({
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: isWhole ? inputTokens + outputTokens : undefined,
    }),
    ...(Object.keys(input).length > 0 && { prompt_tokens_details: input }),
    ...(Object.keys(output).length > 0 && { completion_tokens_details: output }),
  }
}

function known(counts: Record<string, number | undefined>): JsonObject {
  const told: JsonObject = {}
  for (const name in counts) if (counts[name] !== undefined) told[name] = counts[name]
  return told
}

/** The message's members stand in no order: a reader takes them for this one, and texts for one. */
const ORDER: Readonly<Record<Part['type'], number>> = {
  reasoning: 0,
  text: 1,
  refusal: 2,
  media: 3,
  tool_call: 4,
  tool_result: 4,
  native: -1,
}

/** A reader would find the parts in another order, or some of them put together. */
export function isShuffled(parts: readonly Pick<Part, 'type'>[]): boolean {
  let last = -1
  return parts.some(({ type }) => {
    const order = ORDER[type]
    if (order < 0) return false
    const isMerged = order === last && (type === 'text' || type === 'refusal')
    if (order < last || isMerged) return true
    last = order
    return false
  })
}
