import type { Message, Part, ReasoningPart, ToolCallPart, ToolResultPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { CONTENT, renderAnnotations, renderInputContent, reportText } from './content'
import { groupParts, itemOf } from './items'
import { ownJson, ownObject, withoutUndefined } from './responses-json'

/** What the rendering of turns shares. */
type Context = { losses: Losses; customCalls: ReadonlySet<string> }

/** Turns as `instructions` and `input`; what can't be said is reported. */
export function renderInput(
  messages: readonly Message[],
  losses: Losses
): { instructions: string | undefined; items: JsonObject[] } {
  const context = { losses, customCalls: findCustomCalls(messages) }
  const instructions = renderInstructions(messages[0], losses)
  const items = messages.flatMap((message, index) =>
    index === 0 && instructions !== undefined ? [] : renderTurn(message, index, context)
  )
  return { instructions, items }
}

/** The whole input where it was a text and is still one user's. */
export function textInput(items: readonly JsonObject[]): string | undefined {
  const [item] = items
  if (items.length !== 1 || item?.role !== 'user') return undefined
  return typeof item.content === 'string' ? item.content : undefined
}

/** A system turn of one text, and no item in its own right, that comes first. */
function renderInstructions(message: Message | undefined, losses: Losses): string | undefined {
  if (message?.role !== 'system' || ownObject(message.source)) return undefined
  const [part] = message.parts
  if (message.parts.length !== 1 || part?.type !== 'text' || part.text === '') return undefined
  const path = 'messages.0.content.0'
  if (message.name !== undefined) losses.drop('messages.0.name')
  reportText(part, path, losses)
  if (part.citations?.length) losses.drop(`${path}.citations`)
  return part.text
}

function findCustomCalls(messages: readonly Message[]): ReadonlySet<string> {
  const ids = new Set<string>()
  for (const { parts } of messages)
    for (const part of parts) if (part.type === 'tool_call' && part.isCustom) ids.add(part.id)
  return ids
}

function renderTurn(message: Message, index: number, context: Context): JsonObject[] {
  const own = ownJson(message.source)
  const path = `messages.${index}`
  // A turn whose parts have lost their sources was edited, whatever it says of itself.
  const isUntouched = message.parts.every((part) => ownJson(part.source) !== undefined)
  if (own !== undefined && typeof own !== 'string' && isUntouched) {
    const item = ownObject(message.source)
    if (item) return [item]
  }
  if (message.name !== undefined) context.losses.drop(`${path}.name`)
  return message.role === 'assistant'
    ? renderAssistant(message, path, context)
    : renderOther(message, path, context)
}

/** A turn of the user or the system: its content is one message, cut where results of tools stand. */
function renderOther(message: Message, path: string, context: Context): JsonObject[] {
  const items: JsonObject[] = []
  let open: JsonObject[] | undefined
  message.parts.forEach((part, index) => {
    const at = `${path}.content.${index}`
    const item = renderItem(part, at, context)
    if (item) {
      items.push(item)
      open = undefined
      return
    }
    if (part.type === 'text' && part.text === '') return
    const content = renderInputContent(part, at, context.losses)
    if (content === undefined) return
    if (open === undefined) {
      open = []
      items.push({ ...toWrapper(message), content: open })
    }
    open.push(content)
  })
  for (const item of items) item.content = shortenContent(item.content)
  return items
}

function toWrapper({ role, source }: Message): JsonObject {
  return { ...(ownObject(source) ?? { type: 'message', role }) }
}

/** A message of one text is that text, as all hosts of the format take it. */
function shortenContent(content: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(content) || content.length !== 1) return content
  const [only] = content
  if (typeof only !== 'object' || only === null || Array.isArray(only)) return content
  const isPlain = only.type === 'input_text' && Object.keys(only).length === 2
  return isPlain ? only.text : content
}

/** A part that is an item in a turn of the user's; `undefined` where it is content. */
function renderItem(part: Part, path: string, context: Context): JsonObject | undefined {
  if (part.type === 'tool_result') return renderToolResult(part, path, context)
  if (part.type === 'tool_call') return itemOf(part) ?? renderToolCall(part, path, context)
  const isItem = part.type === 'native' && !part.name.startsWith(CONTENT)
  return isItem ? itemOf(part) : undefined
}

function renderToolResult(part: ToolResultPart, path: string, context: Context): JsonObject {
  const own = ownObject(part.source)
  if (own) return own
  const { losses, customCalls } = context
  if (part.cache) losses.drop(`${path}.cache_control`)
  if (part.isError) losses.drop(`${path}.is_error`)
  const contents = part.parts
    .map((inner, index) => renderInputContent(inner, `${path}.content.${index}`, losses))
    .filter((content) => content !== undefined)
  const output = contents.length === 0 ? '' : shortenContent(contents)
  const isCustom = customCalls.has(part.callId)
  return {
    type: isCustom ? 'custom_tool_call_output' : 'function_call_output',
    call_id: toCallId(part.callId),
    output,
  }
}

function renderAssistant(message: Message, path: string, context: Context): JsonObject[] {
  const items: JsonObject[] = []
  let open: JsonObject[] | undefined
  for (const rendering of groupParts(message.parts)) {
    if (rendering.type === 'item') {
      items.push(rendering.item)
      open = undefined
      continue
    }
    const { part, index } = rendering
    const at = `${path}.content.${index}`
    const content = renderAssistantContent(part, at, context.losses)
    if (content === undefined) {
      const item = renderAssistantItem(part, at, context)
      if (item === undefined) continue
      items.push(item)
      open = undefined
    } else if (open) open.push(content)
    else {
      open = [content]
      items.push({ type: 'message', role: 'assistant', content: open })
    }
  }
  return items.map(shortenAssistant)
}

/** As with other messages; what came as an item stays as it is. */
function shortenAssistant(item: JsonObject): JsonObject {
  const { content } = item
  if (item.id !== undefined || !Array.isArray(content) || content.length !== 1) return item
  const [only] = content
  if (typeof only !== 'object' || only === null || Array.isArray(only)) return item
  return only.type === 'output_text' && Object.keys(only).length === 2
    ? { ...item, content: only.text }
    : item
}

function renderAssistantContent(part: Part, path: string, losses: Losses): JsonObject | undefined {
  if (part.type === 'refusal') {
    if (part.cache) losses.drop(`${path}.cache_control`)
    return { type: 'refusal', refusal: part.text }
  }
  if (part.type !== 'text' || part.text === '') return undefined
  reportText(part, path, losses)
  const annotations = renderAnnotations(part, path, losses)
  return {
    type: 'output_text',
    text: part.text,
    ...(annotations.length > 0 && { annotations }),
  }
}

function renderAssistantItem(part: Part, path: string, context: Context): JsonObject | undefined {
  const { losses } = context
  if (part.type === 'tool_call') return renderToolCall(part, path, context)
  if (part.type === 'tool_result') return renderToolResult(part, path, context)
  if (part.type === 'reasoning') return renderReasoning(part, path, losses)
  if (part.type !== 'text') losses.drop(path)
  return undefined
}

function renderToolCall(part: ToolCallPart, path: string, { losses }: Context): JsonObject {
  if (part.cache) losses.drop(`${path}.cache_control`)
  if (part.signature) losses.drop(`${path}.signature`)
  const { name, isCustom } = part
  const called = { call_id: toCallId(part.id), name }
  if (isCustom) return { type: 'custom_tool_call', ...called, input: part.arguments }
  return { type: 'function_call', ...called, arguments: part.arguments || '{}' }
}

/** OpenAI takes ids of calls up to this length. */
const MAX_CALL_ID = 64

/** The same id for the same call, short enough: a result still meets its call. */
function toCallId(id: string): string {
  return id.length <= MAX_CALL_ID ? id : `call_${Bun.hash.xxHash64(id).toString(16)}`
}

/**
 * OpenAI takes thoughts back in the form that only it can read: those of other makers, and thoughts without it,
 * it refuses. https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items
 */
function renderReasoning(
  part: ReasoningPart,
  path: string,
  losses: Losses
): JsonObject | undefined {
  const { encrypted, signature, text, isSummary, id } = part
  if (part.cache) losses.drop(`${path}.cache_control`)
  if (encrypted?.maker !== 'openai') {
    losses.drop(path)
    return undefined
  }
  if (signature) losses.drop(`${path}.signature`)
  return withoutUndefined({
    type: 'reasoning',
    id,
    summary: isSummary && text !== '' ? [{ type: 'summary_text', text }] : [],
    ...(!isSummary && text !== '' && { content: [{ type: 'reasoning_text', text }] }),
    encrypted_content: encrypted.value,
  })
}
