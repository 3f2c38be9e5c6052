import type { TokenLogprob } from '../answer'
import type { Generation, MediaPart, Part, ReasoningPart, TextPart } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { renderAnnotations, renderLogprob } from './content'
import { countParts, IMAGE_CALL, itemOf } from './items'
import { packState } from './reasoning'
import { withoutUndefined } from './responses-json'

/**
 * The items of an answer, one for each part of it. Their ids are made of the request's and of their place, so
 * that a stream and the whole answer have the same.
 * https://platform.openai.com/docs/api-reference/responses/object
 */

/** Where a part's item stands, and what is reported of it. */
export type Place = {
  requestId: string
  index: number
  path: string
  losses: Losses
  /** Thoughts are told as the summary that the client asked for. */
  summarizes: boolean
  /** Ids that the client knows items by already, by their place. */
  ids?: ReadonlyMap<number, string>
}

/**
 * The client asked for a summary of the thoughts. Its SDKs then show the summary and nothing else, so what
 * another provider showed of its model's thoughts has to stand there.
 */
export function wantsSummary({ reasoning }: Generation): boolean {
  return reasoning?.summary !== undefined && reasoning.summary !== 'none'
}

/** Where parts of an answer stand, for reports. */
export function partPath(index: number): string {
  return `choices.0.message.content.${index}`
}

/** The item that a part came as, where it was one of this format. */
export function ownItem(part: Part): JsonObject | undefined {
  const item = itemOf(part)
  return item && countParts(item) === 1 ? item : undefined
}

/** The item's id; `undefined` for a part that the format has no item for. */
export function itemId(part: Part, { requestId, index, ids }: Place): string | undefined {
  const known = ids?.get(index)
  if (known !== undefined) return known
  const prefix = part.type === 'tool_call' && part.isCustom ? 'ctc' : PREFIXES[part.type]
  if (part.type === 'media' && !isImage(part)) return undefined
  return prefix && `${prefix}_${requestId}_${index}`
}

const PREFIXES: Readonly<Partial<Record<Part['type'], string>>> = {
  text: 'msg',
  refusal: 'msg',
  reasoning: 'rs',
  tool_call: 'fc',
  media: 'ig',
}

/** The model's images are results of a tool; of sounds it has none. */
function isImage({ media, data }: MediaPart): boolean {
  return media === 'image' && 'base64' in data
}

/** The part as a finished item; `undefined`, and reported, where the format has none for it. */
export function renderOutputItem(
  part: Part,
  place: Place,
  logprobs: readonly TokenLogprob[]
): JsonObject | undefined {
  const own = ownItem(part)
  if (own) return own
  const id = itemId(part, place)
  const { path, losses } = place
  if (id === undefined) {
    losses.drop(path)
    return undefined
  }
  if (part.type !== 'reasoning' && 'signature' in part && part.signature)
    losses.drop(`${path}.signature`)
  if (part.type === 'text') return renderMessage(id, renderText(part, place, logprobs))
  if (part.type === 'refusal') return renderMessage(id, { type: 'refusal', refusal: part.text })
  if (part.type === 'reasoning') return renderReasoning(id, part, place)
  if (part.type === 'media') return renderImage(id, part)
  if (part.type !== 'tool_call') return undefined
  const called = { call_id: part.id, name: part.name }
  if (part.isCustom)
    return { id, type: 'custom_tool_call', status: DONE, ...called, input: part.arguments }
  return { id, type: 'function_call', status: DONE, ...called, arguments: part.arguments }
}

const DONE = 'completed'

function renderMessage(id: string, content: JsonObject): JsonObject {
  return { id, type: 'message', status: DONE, content: [content], role: 'assistant' }
}

/** A text as content of its message. */
function renderText(
  part: TextPart,
  { path, losses }: Place,
  logprobs: readonly TokenLogprob[]
): JsonObject {
  const annotations = renderAnnotations(part, path, losses)
  const tokens = logprobs.map(renderLogprob)
  return { type: 'output_text', annotations, logprobs: tokens, text: part.text }
}

function renderReasoning(id: string, part: ReasoningPart, { summarizes }: Place): JsonObject {
  const { text } = part
  const isSummary = summarizes || part.isSummary
  return withoutUndefined({
    id,
    type: 'reasoning',
    summary: isSummary && text !== '' ? [{ type: 'summary_text', text }] : [],
    content: !isSummary && text !== '' ? [{ type: 'reasoning_text', text }] : undefined,
    encrypted_content: packState(part, summarizes),
  })
}

function renderImage(id: string, { data, mimeType }: MediaPart): JsonObject {
  return withoutUndefined({
    id,
    type: IMAGE_CALL,
    status: DONE,
    output_format: mimeType?.startsWith('image/') ? mimeType.slice('image/'.length) : undefined,
    result: 'base64' in data ? data.base64 : null,
  })
}

/** The item as it is told of first: what comes in deltas is empty yet. */
export function openItem(item: JsonObject): JsonObject {
  const opened: JsonObject = { ...item, status: 'in_progress' }
  if (item.type === 'message') opened.content = []
  else if (item.type === 'function_call') opened.arguments = ''
  else if (item.type === 'custom_tool_call') opened.input = ''
  else if (item.type === IMAGE_CALL) opened.result = null
  else if (item.type === 'reasoning') return { id: item.id, type: item.type, summary: [] }
  return opened
}
