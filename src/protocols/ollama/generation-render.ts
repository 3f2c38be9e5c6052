import type { ChatTarget } from '../chat-protocol'
import type {
  Generation,
  MediaPart,
  Message,
  Part,
  Tool,
  ToolCallPart,
  ToolChoice,
  ToolResultPart,
} from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { sniffImage } from './image-type'
import { asObject, ownObject } from './own'
import { renderSettings } from './settings-render'

/**
 * Writes the body of POST /api/chat. A request that came in this format keeps its members and their order.
 * https://docs.ollama.com/api/chat
 */
export function renderGeneration(
  generation: Generation,
  target: ChatTarget,
  losses: Losses
): JsonObject {
  const own = ownObject(generation.source)
  if (own) return renderOwn(own, target)
  const tools = renderTools(generation, losses)
  return {
    model: target.model,
    messages: generation.messages.flatMap((message, index) =>
      renderMessage(message, `messages.${index}`, losses)
    ),
    ...(tools.length > 0 && { tools }),
    ...renderSettings(generation, losses),
    stream: target.stream,
  }
}

/** The body as it came: only the model and `stream` are another's to say. */
function renderOwn(own: JsonObject, target: ChatTarget): JsonObject {
  const body: JsonObject = { ...own, model: target.model }
  if (target.stream !== (own.stream !== false)) body.stream = target.stream
  return body
}

/** A turn; results of tools are turns of their own, before what else their turn says. */
function renderMessage(message: Message, path: string, losses: Losses): JsonObject[] {
  const own = ownObject(message.source)
  if (own) return [own]
  if (message.name !== undefined) losses.drop(`${path}.name`)
  const rendered: JsonObject[] = []
  const others: PlacedPart[] = []
  message.parts.forEach((part, index) => {
    if (part.type === 'tool_result') {
      if (others.length > 0) losses.rewrite(path)
      rendered.push(renderResult(part, `${path}.content.${index}`, losses))
    } else others.push({ part, at: `${path}.content.${index}` })
  })
  if (others.length > 0) rendered.push(renderTurn(message.role, others, path, losses))
  return rendered
}

/** A part and where it stands in the turn as it was read. */
type PlacedPart = { part: Part; at: string }

function renderTurn(
  role: Message['role'],
  parts: readonly PlacedPart[],
  path: string,
  losses: Losses
): JsonObject {
  const said: string[] = []
  const thought: string[] = []
  const images: string[] = []
  const calls: JsonObject[] = []
  if (!isInOrder(parts)) losses.rewrite(path)
  for (const { part, at } of parts) {
    if (part.cache) losses.drop(`${at}.cache_control`)
    if ('signature' in part && part.signature) losses.drop(`${at}.signature`)
    switch (part.type) {
      case 'text':
        if (part.citations && part.citations.length > 0) losses.drop(`${at}.citations`)
        said.push(part.text)
        break
      case 'refusal':
        losses.rewrite(at)
        said.push(part.text)
        break
      case 'reasoning':
        if (part.encrypted) losses.drop(`${at}.encrypted_content`)
        if (role !== 'assistant') losses.drop(at)
        else if (part.text !== '') thought.push(part.text)
        break
      case 'media': {
        const image = renderImage(part, at, losses)
        if (image !== undefined) images.push(image)
        else if (part.media === 'file' && 'text' in part.data) said.push(part.data.text)
        break
      }
      case 'tool_call':
        calls.push(renderCall(part, at, losses))
        break
      default:
        losses.drop(at)
    }
  }
  if (said.length > 1) losses.rewrite(`${path}.content`)
  return {
    role,
    content: said.join('\n'),
    ...(thought.length > 0 && { thinking: thought.join('\n') }),
    ...(images.length > 0 && { images }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

const RANKS: Readonly<Partial<Record<Part['type'], number>>> = {
  reasoning: 0,
  text: 1,
  refusal: 1,
  media: 2,
  tool_call: 3,
}

/** The format has thoughts, text, images and calls apart, so that their order among each other is gone. */
function isInOrder(parts: readonly PlacedPart[]): boolean {
  let rank = 0
  for (const { part } of parts) {
    const next = RANKS[part.type] ?? rank
    if (next < rank) return false
    rank = next
  }
  return true
}

/** Bare base64 alone; what stands at an address can't be said. https://docs.ollama.com/capabilities/vision */
export function renderImage(part: MediaPart, path: string, losses: Losses): string | undefined {
  if (part.media === 'image' && 'base64' in part.data) {
    if (part.detail !== undefined && part.detail !== 'auto') losses.drop(`${path}.detail`)
    if (part.mimeType !== undefined && part.mimeType !== sniffImage(part.data.base64))
      losses.drop(`${path}.mime_type`)
    return part.data.base64
  }
  if (part.media === 'file' && 'text' in part.data) losses.rewrite(path)
  else losses.drop(path)
  return undefined
}

/** A call with its arguments as an object; text that is none stands in one. */
export function renderCall(part: ToolCallPart, path: string, losses: Losses): JsonObject {
  const own = ownObject(part.source)
  if (own) return own
  return {
    id: part.id,
    function: { name: part.name, arguments: renderArguments(part, path, losses) },
  }
}

function renderArguments(part: ToolCallPart, path: string, losses: Losses): JsonObject {
  if (part.isCustom) {
    losses.rewrite(path)
    return { input: part.arguments }
  }
  if (part.arguments.trim() === '') return {}
  try {
    const value: JsonValue = JSON.parse(part.arguments)
    const given = asObject(value)
    if (given) return given
  } catch {
    // Said below.
  }
  losses.rewrite(`${path}.arguments`)
  return { input: part.arguments }
}

function renderResult(part: ToolResultPart, path: string, losses: Losses): JsonObject {
  const own = ownObject(part.source)
  if (own) return own
  const texts = part.parts.flatMap((inner, index) => {
    if (inner.type === 'text') return [inner.text]
    if (inner.type === 'media' && 'text' in inner.data) return [inner.data.text]
    losses.drop(`${path}.content.${index}`)
    return []
  })
  if (part.cache) losses.drop(`${path}.cache_control`)
  if (part.isError) losses.drop(`${path}.is_error`)
  if (texts.length > 1) losses.rewrite(`${path}.content`)
  return {
    role: 'tool',
    content: texts.join('\n'),
    ...(part.name !== undefined && { tool_name: part.name }),
    tool_call_id: part.callId,
  }
}

const hasCalled = (messages: readonly Message[]) =>
  messages.some(({ parts }) => parts.some(({ type }) => type === 'tool_call'))

function renderTools({ tools, toolChoice, messages }: Generation, losses: Losses): JsonObject[] {
  if (toolChoice?.type === 'none' && tools.length > 0 && !hasCalled(messages)) {
    // A model without tools calls none; in a conversation that has calls they belong together.
    losses.rewrite('tool_choice')
    return []
  }
  const names = chosenNames(toolChoice)
  const isFree = toolChoice?.type === 'allowed' && toolChoice.mode === 'auto'
  const narrows = tools.some(({ name }) => names.includes(name))
  // None can be forced, but those that must not be called need not be told.
  if (narrows && isFree) losses.rewrite('tool_choice')
  else if (toolChoice !== undefined && toolChoice.type !== 'auto') losses.drop('tool_choice')
  return tools.flatMap((tool, index) => {
    const path = `tools.${index}`
    if (!narrows || names.includes(tool.name)) return renderTool(tool, path, losses)
    losses.drop(path)
    return []
  })
}

/** The tools that a choice leaves; none where it is no choice among them. */
function chosenNames(choice: ToolChoice | undefined): readonly string[] {
  if (choice?.type === 'tool') return [choice.name]
  return choice?.type === 'allowed' ? choice.names : []
}

const FREE_TEXT: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
}

function renderTool(tool: Tool, path: string, losses: Losses): JsonObject[] {
  const own = ownObject(tool.source)
  if (own) return [own]
  if (tool.type === 'server') {
    losses.drop(path)
    return []
  }
  if (tool.cache) losses.drop(`${path}.cache_control`)
  if (tool.type === 'custom') losses.rewrite(path)
  if (tool.type === 'function' && tool.strict !== undefined) losses.drop(`${path}.strict`)
  const parameters =
    tool.type === 'custom' ? FREE_TEXT : (tool.parameters ?? { type: 'object', properties: {} })
  const { name, description } = tool
  return [
    {
      type: 'function',
      function: { name, ...(description !== undefined && { description }), parameters },
    },
  ]
}
