import { stringOf } from '../../std/record'
import type { Message, Part, Role } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { parseContent } from './content'
import { isMessage, parseOutputItem, parseToolResult, toNative } from './items'
import { asList, asObject, invalid, ownSource } from './responses-json'

/**
 * `instructions` and `input` as turns. Items that follow each other and that the model made are one turn, so are
 * the results of its tools; each message of another role is a turn of its own.
 */
export function parseInput(body: JsonObject): Message[] {
  const { instructions, input } = body
  const messages: Message[] = []
  if (typeof instructions === 'string' && instructions !== '')
    messages.push(toTurn('system', instructions))
  else if (typeof instructions !== 'string' && instructions !== undefined && instructions !== null)
    throw invalid('instructions', 'must be a string')
  if (typeof input === 'string') messages.push(toTurn('user', input))
  else if (Array.isArray(input)) input.forEach((json, index) => addItem(messages, json, index))
  else if (input !== undefined && input !== null)
    throw invalid('input', 'must be a string or a list of items')
  else if (!STAND_INS.some((name) => body[name])) throw invalid('input', 'must be given')
  nameResults(messages)
  return messages
}

/** What a request may bring in the place of its input. */
const STAND_INS = ['prompt', 'previous_response_id', 'conversation'] as const

/** A turn that stands in the body as a text alone. */
function toTurn(role: Role, text: string): Message {
  const source = ownSource(text)
  return { role, parts: [{ type: 'text', text, source }], source }
}

const ROLES: Readonly<Record<string, Role>> = {
  user: 'user',
  system: 'system',
  developer: 'system',
  assistant: 'assistant',
}

function addItem(messages: Message[], json: JsonValue, index: number): void {
  const item = asObject(json)
  if (item === undefined) throw invalid(`input.${index}`, 'must be an object')
  if (isMessage(item)) {
    const { content } = item
    if (typeof content !== 'string' && !Array.isArray(content))
      throw invalid(`input.${index}.content`, 'must be a string or a list')
    const role = ROLES[stringOf(item, 'role') ?? '']
    if (role === 'assistant') addParts(messages, role, parseOutputItem(item))
    else if (role === undefined) addParts(messages, 'user', [toNative(item)])
    else messages.push({ role, parts: parseContents(content), source: ownSource(item) })
    return
  }
  const result = parseToolResult(item)
  if (result) addParts(messages, 'user', [result])
  else if (isFromClient(item)) addParts(messages, 'user', [toNative(item)])
  else addParts(messages, 'assistant', parseOutputItem(item))
}

function parseContents(content: string | JsonValue[]): Part[] {
  if (typeof content === 'string')
    return [{ type: 'text', text: content, source: ownSource(content) }]
  return asList(content).map(parseContent)
}

/** Of the items that only this format knows, those that answer the model. */
function isFromClient({ type }: JsonObject): boolean {
  return typeof type === 'string' && (type.endsWith('_call_output') || type === APPROVAL)
}

const APPROVAL = 'mcp_approval_response'

/** Adds to the last turn, where that is of the role and was put together too. */
function addParts(messages: Message[], role: Role, parts: readonly Part[]): void {
  const last = messages.at(-1)
  if (last?.role === role && last.source === undefined) last.parts.push(...parts)
  else messages.push({ role, parts: [...parts] })
}

/** Other formats name the tool with its result, this one the call alone. */
function nameResults(messages: readonly Message[]): void {
  const names = new Map<string, string>()
  for (const { parts } of messages)
    for (const part of parts) {
      if (part.type === 'tool_call') names.set(part.id, part.name)
      if (part.type !== 'tool_result' || part.name !== undefined) continue
      const name = names.get(part.callId)
      if (name !== undefined) part.name = name
    }
}
