import { stringOf } from '../../std/record'
import type { Format, Generation, Message, Reasoning, Tool, ToolChoice } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { RequestRoute } from '../protocol'
import { markOf, parseContent } from './blocks-parse'
import { asList, asObject, invalid, ownObject, ownSource } from './own'

/** The members that the neutral model stands for; all others are extras. */
const KNOWN = new Set([
  ...['model', 'messages', 'system', 'tools', 'tool_choice', 'max_tokens', 'stream', 'temperature'],
  ...['top_p', 'top_k', 'stop_sequences', 'thinking', 'output_config', 'output_format', 'metadata'],
  'service_tier',
])

/**
 * Reads the body of POST /v1/messages. Throws `invalid_request` with the member's path.
 * https://platform.claude.com/docs/en/api/messages
 */
export function parseGeneration(body: JsonObject, route: RequestRoute): Generation {
  const model = route.model ?? stringOf(body, 'model')
  if (!model) throw invalid('model', 'must be a non-empty string')
  if (!Array.isArray(body.messages)) throw invalid('messages', 'must be a list')
  const choice = asObject(body.tool_choice)
  const user = stringOf(body.metadata, 'user_id')
  const format = parseFormat(body)
  const reasoning = parseReasoning(body)
  const toolChoice = parseToolChoice(choice)
  const serviceTier = stringOf(body, 'service_tier')
  return {
    model,
    stream: route.stream ?? body.stream === true,
    includesUsage: true,
    messages: [...parseSystem(body.system), ...body.messages.map(parseMessage)],
    tools: asList(body.tools).map((tool, index) => parseTool(tool, `tools.${index}`)),
    ...(toolChoice && { toolChoice }),
    ...(typeof choice?.disable_parallel_tool_use === 'boolean' && {
      parallelToolCalls: !choice.disable_parallel_tool_use,
    }),
    ...numbers(body),
    ...(Array.isArray(body.stop_sequences) && {
      stop: body.stop_sequences.filter((text) => typeof text === 'string'),
    }),
    ...(format && { format }),
    ...(reasoning && { reasoning }),
    ...(user !== undefined && { user }),
    ...(serviceTier !== undefined && { serviceTier }),
    extras: parseExtras(body),
    source: ownSource(body),
  }
}

function numbers(body: JsonObject) {
  const of = (name: string) => {
    const value = body[name]
    return typeof value === 'number' ? value : undefined
  }
  const [maxTokens, temperature, topP, topK] = ['max_tokens', 'temperature', 'top_p', 'top_k'].map(
    of
  )
  return {
    ...(maxTokens !== undefined && { maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(topK !== undefined && { topK }),
  }
}

function parseExtras(body: JsonObject): JsonObject {
  const extras: JsonObject = {}
  for (const [name, value] of Object.entries(body)) if (!KNOWN.has(name)) extras[name] = value
  const metadata = asObject(body.metadata)
  if (metadata && Object.keys(metadata).some((name) => name !== 'user_id'))
    extras.metadata = metadata
  return extras
}

function parseSystem(system: JsonValue | undefined): Message[] {
  if (system === undefined || system === '') return []
  return [{ role: 'system', parts: parseContent(system, 'system') }]
}

function parseMessage(json: JsonValue, index: number): Message {
  const path = `messages.${index}`
  const message = asObject(json)
  if (message === undefined) throw invalid(path, 'must be an object')
  const { role } = message
  // Claude Code puts system turns between the others.
  if (role !== 'user' && role !== 'assistant' && role !== 'system')
    throw invalid(`${path}.role`, 'must be user or assistant')
  const parts = parseContent(message.content, `${path}.content`)
  return { role, parts, source: ownSource(message) }
}

function parseTool(json: JsonValue, path: string): Tool {
  const tool = asObject(json)
  const name = stringOf(tool, 'name')
  if (tool === undefined || !name) throw invalid(path, 'must be an object with a name')
  const node = { ...markOf(tool), source: ownSource(tool) }
  const type = stringOf(tool, 'type')
  if (type !== undefined && type !== 'custom') return { type: 'server', name: type, ...node }
  const description = stringOf(tool, 'description')
  const parameters = asObject(tool.input_schema)
  return {
    type: 'function',
    name,
    ...(description !== undefined && { description }),
    ...(parameters && { parameters }),
    ...(typeof tool.strict === 'boolean' && { strict: tool.strict }),
    ...node,
  }
}

function parseToolChoice(choice: JsonObject | undefined): ToolChoice | undefined {
  switch (choice?.type) {
    case 'auto':
    case 'none':
      return { type: choice.type }
    case 'any':
      return { type: 'required' }
    case 'tool':
      return { type: 'tool', name: stringOf(choice, 'name') ?? '' }
    default:
      return undefined
  }
}

/** https://platform.claude.com/docs/en/build-with-claude/structured-outputs */
function parseFormat(body: JsonObject): Format | undefined {
  const format = asObject(asObject(body.output_config)?.format) ?? asObject(body.output_format)
  const schema = asObject(format?.schema)
  return format?.type === 'json_schema' && schema ? { type: 'schema', schema } : undefined
}

/** https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
function parseReasoning(body: JsonObject): Reasoning | undefined {
  const thinking = asObject(body.thinking)
  const effort = stringOf(body.output_config, 'effort')
  if (thinking === undefined && effort === undefined) return undefined
  const budgetTokens = thinking?.budget_tokens
  return {
    ...(thinking && { enabled: thinking.type !== 'disabled' }),
    ...(typeof budgetTokens === 'number' && { budgetTokens }),
    ...(effort !== undefined && { effort }),
  }
}

/** The whole body where a request came in this format. */
export function ownBody(generation: Generation): JsonObject | undefined {
  return ownObject(generation.source)
}
