import { stringOf } from '../../std/record'
import type { Generation, Message, Tool } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { RequestRoute } from '../protocol'
import { asList, asObject, invalid, ownSource } from './own'
import { parseAssistant, parseContent, parseResult } from './parts'
import { parseSettings } from './settings'

/**
 * Reads the body of POST /v2/chat. Throws `invalid_request` with the member's path for what the format itself
 * refuses; what only Cohere knows, such as `documents`, stays among the extras.
 * https://docs.cohere.com/v2/reference/chat
 */
export function parseGeneration(body: JsonObject, route: RequestRoute): Generation {
  const model = route.model ?? stringOf(body, 'model')
  if (!model) throw invalid('model', 'must be a non-empty string')
  if (!Array.isArray(body.messages) || body.messages.length === 0)
    throw invalid('messages', 'must be a list of at least one message')
  const tools = parseTools(body)
  const settings = parseSettings(body)
  // Without any tools it stands for nothing.
  if (tools.length === 0 && body.strict_tools === true) settings.extras.strict_tools = true
  return {
    model,
    stream: route.stream ?? body.stream === true,
    includesUsage: true,
    messages: parseMessages(body.messages),
    tools,
    ...settings,
    source: ownSource(body),
  }
}

/** In order; a run of tool messages is one turn of the user's. */
function parseMessages(list: readonly JsonValue[]): Message[] {
  const messages: Message[] = []
  /** The names of the calls so far, by their ids. */
  const names = new Map<string, string>()
  let results: Message | undefined
  list.forEach((json, index) => {
    const path = `messages.${index}`
    const message = asObject(json)
    if (message === undefined) throw invalid(path, 'must be an object')
    if (message.role === 'tool') {
      if (results === undefined) messages.push((results = { role: 'user', parts: [] }))
      results.parts.push(parseResult(message, path, names))
      return
    }
    results = undefined
    const read = parseMessage(message, path)
    for (const part of read.parts) if (part.type === 'tool_call') names.set(part.id, part.name)
    messages.push(read)
  })
  return messages
}

function parseMessage(message: JsonObject, path: string): Message {
  const { role } = message
  const source = ownSource(message)
  if (role === 'assistant') return { role, parts: parseAssistant(message, path), source }
  if (role !== 'user' && role !== 'system')
    throw invalid(`${path}.role`, 'must be user, assistant, system or tool')
  return { role, parts: parseContent(message.content, `${path}.content`), source }
}

/** `strict_tools` means each of them. */
function parseTools(body: JsonObject): Tool[] {
  const strict = typeof body.strict_tools === 'boolean' ? body.strict_tools : undefined
  return asList(body.tools).map((json, index): Tool => {
    const tool = asObject(json)
    if (tool === undefined) throw invalid(`tools.${index}`, 'must be an object')
    const source = ownSource(tool)
    if (tool.type !== 'function')
      return { type: 'server', name: stringOf(tool, 'type') ?? 'unknown', source }
    const called = asObject(tool.function)
    const name = stringOf(called, 'name')
    if (!name) throw invalid(`tools.${index}.function.name`, 'must be a non-empty string')
    return {
      type: 'function',
      name,
      description: stringOf(called, 'description'),
      parameters: asObject(called?.parameters),
      strict,
      source,
    }
  })
}
