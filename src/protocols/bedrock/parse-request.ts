import type { Generation, Message, Part } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { RequestRoute } from '../protocol'
import { asObject, invalid, ownSource } from './converse-json'
import { parseBlocks } from './parts'
import { parseSettings } from './settings'
import { parseTools } from './tools'

/**
 * Reads the body of POST /model/{id}/converse and converse-stream; the path says the model and the stream. Throws
 * `invalid_request` with the member's path for what the format itself refuses.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
export function parseGeneration(body: JsonObject, route: RequestRoute): Generation {
  return {
    model: route.model ?? '',
    stream: route.stream === true,
    includesUsage: true,
    messages: [...parseSystem(body.system), ...parseMessages(body.messages)],
    tools: parseTools(body.toolConfig),
    ...parseSettings(body),
    source: ownSource(body),
  }
}

function parseSystem(system: JsonValue | undefined): Message[] {
  const blocks = blocksAt(system, 'system')
  if (blocks.length === 0) return []
  return [{ role: 'system', parts: parseBlocks(blocks), source: ownSource(blocks) }]
}

/** A request of a stored prompt has no messages. */
function parseMessages(list: JsonValue | undefined): Message[] {
  const calls = new Map<string, string>()
  return listAt(list, 'messages').map((json, index) => {
    const path = `messages.${index}`
    const message = asObject(json)
    if (message === undefined) throw invalid(path, 'must be an object')
    const { role } = message
    if (role !== 'user' && role !== 'assistant' && role !== 'system')
      throw invalid(`${path}.role`, 'must be user, assistant or system')
    const parts = parseBlocks(blocksAt(message.content, `${path}.content`))
    for (const part of parts) nameCall(part, calls)
    return { role, parts, source: ownSource(message) }
  })
}

function blocksAt(value: JsonValue | undefined, path: string): JsonValue[] {
  const blocks = listAt(value, path)
  blocks.forEach((block, index) => {
    if (asObject(block) === undefined) throw invalid(`${path}.${index}`, 'must be an object')
  })
  return blocks
}

function listAt(value: JsonValue | undefined, path: string): JsonValue[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw invalid(path, 'must be a list')
  return value
}

/** A result says only the id of its call, which an earlier turn gave a name. */
function nameCall(part: Part, calls: Map<string, string>): void {
  if (part.type === 'tool_call') calls.set(part.id, part.name)
  const name = part.type === 'tool_result' ? calls.get(part.callId) : undefined
  if (part.type === 'tool_result' && name !== undefined) part.name = name
}
