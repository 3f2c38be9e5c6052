import type { Part } from '../generation'
import type { JsonObject } from '../json'
import { asList, asObject } from './responses-json'

/** How the events of an item are called that tell what is in it. */
export type ItemKind = {
  /** What is told in pieces: `response.NAME.delta`, `response.NAME.done`. */
  name: string
  /** The member that has it whole. */
  member: string
  /** The event of the content that it stands in, `response.PART.added`; `undefined` where that is the item. */
  part?: string
  /** That content before it says anything. */
  empty: JsonObject
  /** Where that stands in the item. */
  at: JsonObject
  /** Where the finished item has it. */
  read(item: JsonObject): JsonObject | undefined
}

const TEXT: ItemKind = {
  name: 'output_text',
  member: 'text',
  part: 'content_part',
  empty: { type: 'output_text', annotations: [], logprobs: [], text: '' },
  at: { content_index: 0 },
  read: ({ content }) => asObject(asList(content)[0]),
}

const REFUSAL: ItemKind = {
  ...TEXT,
  name: 'refusal',
  member: 'refusal',
  empty: { type: 'refusal', refusal: '' },
}

const THOUGHTS: ItemKind = {
  ...TEXT,
  name: 'reasoning_text',
  empty: { type: 'reasoning_text', text: '' },
}

const SUMMARY: ItemKind = {
  name: 'reasoning_summary_text',
  member: 'text',
  part: 'reasoning_summary_part',
  empty: { type: 'summary_text', text: '' },
  at: { summary_index: 0 },
  read: ({ summary }) => asObject(asList(summary)[0]),
}

const CALL: ItemKind = {
  name: 'function_call_arguments',
  member: 'arguments',
  empty: {},
  at: {},
  read: (item) => item,
}

const CUSTOM_CALL: ItemKind = { ...CALL, name: 'custom_tool_call_input', member: 'input' }

/**
 * The events of the item that a part becomes, its thoughts as a summary where `summarizes` says so; `undefined`
 * for one that is told of whole.
 */
export function kindOf(part: Part, summarizes: boolean): ItemKind | undefined {
  if (part.type === 'text') return TEXT
  if (part.type === 'refusal') return REFUSAL
  if (part.type === 'reasoning') return summarizes || part.isSummary ? SUMMARY : THOUGHTS
  if (part.type === 'tool_call') return part.isCustom ? CUSTOM_CALL : CALL
  return undefined
}
