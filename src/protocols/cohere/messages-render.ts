import type { MediaPart, Message, Part, ToolCallPart, ToolResultPart } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { imageUrl } from '../openai/chat-media'
import { CITATION, ownCitations } from './citations'
import { ownObject } from './own'

/**
 * Writes the turns of a conversation as messages; losses are told by the turn's place, e.g. `messages.3.content.1`.
 * https://docs.cohere.com/v2/reference/chat
 */
export function renderMessages(messages: readonly Message[], losses: Losses): JsonObject[] {
  return messages.flatMap((message, index) => {
    const own = ownObject(message.source)
    if (own) return [own]
    const path = `messages.${index}`
    if (message.name !== undefined) losses.drop(`${path}.name`)
    if (message.role === 'assistant') return renderAssistant(message, path, losses)
    if (message.role === 'user') return renderUser(message, path, losses)
    const content = renderParts(message.parts, path, losses, renderText)
    return content.length === 0 ? [] : [{ role: 'system', content: contentOf(content) }]
  })
}

type RenderPart = (part: Part, path: string, losses: Losses) => JsonObject | undefined

function renderParts(
  parts: readonly Part[],
  path: string,
  losses: Losses,
  render: RenderPart
): JsonObject[] {
  return parts.flatMap((part, index) => {
    const rendered = render(part, `${path}.content.${index}`, losses)
    return rendered === undefined ? [] : [rendered]
  })
}

/** One plain text stands as a string. */
function contentOf(content: JsonObject[]): string | JsonObject[] {
  const [only] = content
  const isPlain = content.length === 1 && only?.type === 'text' && Object.keys(only).length === 2
  return isPlain && typeof only.text === 'string' ? only.text : content
}

/** The tools' results go first, as messages of their own: they must follow the calls. */
function renderUser({ parts }: Message, path: string, losses: Losses): JsonObject[] {
  const results: JsonObject[] = []
  const content = renderParts(parts, path, losses, (part, partPath) => {
    if (part.type !== 'tool_result') return renderUserPart(part, partPath, losses)
    results.push(renderResult(part, partPath, losses))
    return undefined
  })
  const lastResult = parts.findLastIndex(({ type }) => type === 'tool_result')
  if (parts.slice(0, Math.max(0, lastResult)).some(({ type }) => type !== 'tool_result'))
    losses.rewrite(path)
  return content.length === 0
    ? results
    : [...results, { role: 'user', content: contentOf(content) }]
}

function renderUserPart(part: Part, path: string, losses: Losses): JsonObject | undefined {
  return part.type === 'media' ? renderMedia(part, path, losses) : renderText(part, path, losses)
}

/** Images by an address or with their data; of files, those that are text, as text. */
function renderMedia(part: MediaPart, path: string, losses: Losses): JsonObject | undefined {
  const own = ownObject(part.source)
  if (own) return own
  const { data, media, mimeType, detail } = part
  if ('text' in data) {
    losses.rewrite(path)
    return { type: 'text', text: data.text }
  }
  const url = media === 'image' ? imageUrl(part) : undefined
  if (url === undefined) {
    losses.drop(path)
    return undefined
  }
  if (part.cache) losses.drop(`${path}.cache_control`)
  if (part.signature) losses.drop(`${path}.signature`)
  if (part.transcript !== undefined) losses.drop(`${path}.transcript`)
  if (part.name !== undefined) losses.drop(`${path}.name`)
  // An address says no type, data always one.
  if ('url' in data && mimeType !== undefined) losses.drop(`${path}.mime_type`)
  if ('base64' in data && mimeType === undefined) losses.rewrite(path)
  return { type: 'image_url', image_url: { url, ...(detail !== undefined && { detail }) } }
}

/** A text, or an own part, as content; all else is dropped and reported. Empty texts would be refused. */
function renderText(part: Part, path: string, losses: Losses): JsonObject | undefined {
  const own = ownObject(part.source)
  if (own) return own
  if (part.type === 'refusal') losses.rewrite(path)
  else if (part.type !== 'text') {
    losses.drop(path)
    return undefined
  } else reportText(part, path, losses)
  return part.text === '' ? undefined : { type: 'text', text: part.text }
}

/** What a text, a thought or a call bears that the format has no place for. */
function reportText(part: Part, path: string, losses: Losses): void {
  if (part.cache) losses.drop(`${path}.cache_control`)
  if ('signature' in part && part.signature) losses.drop(`${path}.signature`)
  if (part.type === 'text' && part.citations?.some(({ source }) => !ownObject(source)))
    losses.drop(`${path}.citations`)
}

/** A message of the role `tool`, which can be text alone. */
function renderResult(part: ToolResultPart, path: string, losses: Losses): JsonObject {
  const own = ownObject(part.source)
  if (own) return own
  if (part.cache) losses.drop(`${path}.cache_control`)
  if (part.isError) losses.drop(`${path}.is_error`)
  const content = renderParts(part.parts, path, losses, renderResultPart)
  return {
    role: 'tool',
    tool_call_id: part.callId,
    content: content.length === 0 ? '' : contentOf(content),
  }
}

function renderResultPart(part: Part, path: string, losses: Losses): JsonObject | undefined {
  const isText = part.type === 'media' && 'text' in part.data
  return isText ? renderMedia(part, path, losses) : renderText(part, path, losses)
}

/** The members of an assistant's message stand in no order, so this one is what a reader takes them for. */
type AssistantPieces = {
  content: JsonObject[]
  plan: string[]
  calls: JsonObject[]
  citations: JsonObject[]
}

function renderAssistant({ parts }: Message, path: string, losses: Losses): JsonObject[] {
  const pieces: AssistantPieces = { content: [], plan: [], calls: [], citations: [] }
  const isCalling = parts.some(({ type }) => type === 'tool_call')
  let last: keyof AssistantPieces = 'content'
  parts.forEach((part, index) => {
    const place = addPiece(pieces, part, isCalling, `${path}.content.${index}`, losses)
    if (place === undefined) return
    if (ORDER[place] < ORDER[last]) losses.rewrite(path)
    else last = place
  })
  const { content, plan, calls, citations } = pieces
  // Several texts become one plan.
  if (plan.length > 1) losses.rewrite(path)
  if (content.length + plan.length + calls.length === 0) return []
  return [
    {
      role: 'assistant',
      ...(content.length > 0 && { content: contentOf(content) }),
      ...(plan.length > 0 && { tool_plan: plan.join('') }),
      ...(calls.length > 0 && { tool_calls: calls }),
      ...(citations.length > 0 && { citations }),
    },
  ]
}

const ORDER: Readonly<Record<keyof AssistantPieces, number>> = {
  content: 0,
  plan: 1,
  calls: 2,
  citations: 3,
}

/** Puts a part where it belongs, and tells where that was; `undefined` where it is in no order, or dropped. */
function addPiece(
  pieces: AssistantPieces,
  part: Part,
  isCalling: boolean,
  path: string,
  losses: Losses
): keyof AssistantPieces | undefined {
  const own = ownObject(part.source)
  if (part.type === 'native' && part.name === CITATION && own) {
    pieces.citations.push(own)
    return undefined
  }
  if (part.type === 'tool_call') {
    pieces.calls.push(renderCall(part, path, losses))
    return 'calls'
  }
  pieces.citations.push(...ownCitations(part))
  const isPlan = own ? typeof own.tool_plan === 'string' : isCalling && part.type !== 'reasoning'
  const rendered =
    part.type === 'reasoning' && !own
      ? renderThoughts(part, path, losses)
      : renderText(part, path, losses)
  if (rendered === undefined) return undefined
  // What is said before calls is a plan.
  if (isPlan && 'text' in part) {
    pieces.plan.push(part.text)
    return 'plan'
  }
  pieces.content.push(rendered)
  return 'content'
}

/** Thoughts go back as they are: the format signs none. https://docs.cohere.com/docs/reasoning */
function renderThoughts(
  part: Extract<Part, { type: 'reasoning' }>,
  path: string,
  losses: Losses
): JsonObject | undefined {
  if (part.text === '') {
    losses.drop(path)
    return undefined
  }
  reportText(part, path, losses)
  if (part.encrypted) losses.drop(`${path}.encrypted_content`)
  if (part.id !== undefined) losses.drop(`${path}.id`)
  if (part.isSummary) losses.rewrite(path)
  return { type: 'thinking', thinking: part.text }
}

/** An entry of `tool_calls`; a custom tool's input stands in an object, as its function takes it. */
function renderCall(part: ToolCallPart, path: string, losses: Losses): JsonObject {
  const own = ownObject(part.source)
  if (own) return own.id === part.id ? own : { ...own, id: part.id }
  reportText(part, path, losses)
  if (part.isCustom) losses.rewrite(path)
  const { id, name, arguments: said } = part
  const text = part.isCustom ? JSON.stringify({ input: said }) : said.trim() === '' ? '{}' : said
  return { id, type: 'function', function: { name, arguments: text } }
}
