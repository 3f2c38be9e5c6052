import { isRecord, recordOf, stringOf } from '../../std/record'
import type { Generation, Message, NativePart, Part, ToolResultPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { RequestRoute } from '../protocol'
import { asObject, invalid, ownSource } from './chat-json'
import { parseAssistant, parseCacheMark, parseContent } from './chat-parts'
import { parseSettings } from './chat-settings'
import { parseTools } from './chat-tools'

/**
 * Reads the body of POST /v1/chat/completions. Throws `invalid_request` with the member's path for what the
 * format itself refuses: https://platform.openai.com/docs/api-reference/chat/create
 */
export function parseGeneration(body: JsonObject, route: RequestRoute): Generation {
  const model = route.model ?? stringOf(body, 'model')
  if (!model) throw invalid('model', 'must be a non-empty string')
  if (!Array.isArray(body.messages) || body.messages.length === 0)
    throw invalid('messages', 'must be a list of at least one message')
  const options = body.stream_options
  return {
    model,
    stream: body.stream === true,
    includesUsage: isRecord(options) && options.include_usage === true,
    messages: parseMessages(body.messages),
    tools: parseTools(body),
    ...parseSettings(body),
    source: ownSource(body),
  }
}

function parseMessages(list: readonly JsonValue[]): Message[] {
  const reader = new MessageReader()
  list.forEach((json, index) => reader.read(json, index))
  return reader.messages
}

/** Reads messages in order: a tool's message belongs to the user's turn, and to a call before it. */
class MessageReader {
  readonly messages: Message[] = []
  /** The names of the calls so far, by their ids. */
  readonly #names = new Map<string, string>()
  /** Ids of calls without one (`function_call`), by the name that their results stand under. */
  readonly #madeIds = new Map<string, string>()
  /** The turn that a run of tool messages goes into. */
  #results: Message | undefined

  read(json: JsonValue, index: number): void {
    const path = `messages.${index}`
    const message = asObject(json)
    if (message === undefined) throw invalid(path, 'must be an object')
    const { role } = message
    if (role === 'tool' || role === 'function') return this.#readResult(message, path)
    this.#results = undefined
    checkContent(message, path)
    if (role === 'system' || role === 'developer')
      this.#push('system', message, parseContent(message.content))
    else if (role === 'user') this.#push('user', message, parseContent(message.content))
    else if (role === 'assistant') this.#readAssistant(message, index)
    else throw invalid(`${path}.role`, 'must be system, developer, user, assistant or tool')
  }

  #readAssistant(message: JsonObject, index: number): void {
    const makeId = (call: number) => `call_${index}_${call}`
    const parts = parseAssistant(message, { makeId, isAnswer: false })
    for (const part of parts) {
      if (part.type !== 'tool_call') continue
      this.#names.set(part.id, part.name)
      this.#madeIds.set(part.name, part.id)
    }
    this.#push('assistant', message, parts)
  }

  #readResult(message: JsonObject, path: string): void {
    const named = stringOf(message, 'name')
    const callId =
      message.role === 'tool' ? stringOf(message, 'tool_call_id') : this.#madeIds.get(named ?? '')
    if (callId === undefined)
      throw message.role === 'tool'
        ? invalid(`${path}.tool_call_id`, 'must be a string')
        : invalid(`${path}.name`, 'must be the name of a function that was called before')
    checkContent(message, path)
    const part: ToolResultPart = {
      type: 'tool_result',
      callId,
      name: named ?? this.#names.get(callId),
      parts: parseContent(message.content).map(toResultPart),
      source: ownSource(message),
    }
    const cache = parseCacheMark(message)
    if (cache) part.cache = cache
    if (this.#results === undefined) {
      this.#results = { role: 'user', parts: [] }
      this.messages.push(this.#results)
    }
    this.#results.parts.push(part)
  }

  #push(role: Message['role'], message: JsonObject, parts: Part[]): void {
    const last = parts.at(-1)
    // LiteLLM also takes a mark at the message itself.
    const cache = parseCacheMark(message)
    if (cache && last) last.cache ??= cache
    const name = stringOf(message, 'name')
    const source = ownSource(message)
    this.messages.push({ role, parts, ...(name !== undefined && { name }), source })
  }
}

/** What a tool's result can hold; a part that it can't is native. */
function toResultPart(part: Part): ToolResultPart['parts'][number] {
  if (part.type === 'text' || part.type === 'media' || part.type === 'native') return part
  const source = part.source ?? ownSource(null)
  const native: NativePart = { type: 'native', name: part.type, source }
  return native
}

function checkContent(message: JsonObject, path: string): void {
  const { content } = message
  if (content === undefined || content === null || typeof content === 'string') return
  if (!Array.isArray(content)) throw invalid(`${path}.content`, 'must be a string or a list')
  content.forEach((part, index) => {
    if (typeof part === 'string') return
    if (!isRecord(part)) throw invalid(`${path}.content.${index}`, 'must be an object')
    const type = stringOf(part, 'type')
    if (type === undefined) throw invalid(`${path}.content.${index}.type`, 'must be a string')
    if (type === 'text' && stringOf(part, 'text') === undefined)
      throw invalid(`${path}.content.${index}.text`, 'must be a string')
    if (type === 'image_url' && !recordOf(part, 'image_url') && !stringOf(part, 'image_url'))
      throw invalid(`${path}.content.${index}.image_url`, 'must be an object with a url')
  })
}
