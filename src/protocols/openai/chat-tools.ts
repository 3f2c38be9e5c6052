import { recordOf, stringOf } from '../../std/record'
import type { Generation, Tool, ToolChoice } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { asList, asObject, invalid, ownObject, ownSource } from './chat-json'
import { parseCacheMark } from './chat-parts'

/**
 * Tools and the choice among them, also in the older spelling of `functions` and `function_call`.
 * https://platform.openai.com/docs/api-reference/chat/create
 */

/** The tools of a request's body. Throws `invalid_request` for what is no list of objects. */
export function parseTools(body: JsonObject): Tool[] {
  const name = body.tools === undefined || body.tools === null ? 'functions' : 'tools'
  const listed = body[name]
  if (listed === undefined || listed === null) return []
  if (!Array.isArray(listed)) throw invalid(name, 'must be a list')
  return listed.map((json, index) => {
    const tool = asObject(json)
    if (tool === undefined) throw invalid(`${name}.${index}`, 'must be an object')
    return name === 'tools' ? parseTool(tool) : parseFunction(tool, tool)
  })
}

function parseTool(json: JsonObject): Tool {
  const source = ownSource(json)
  const called = asObject(json.function)
  if (json.type === 'function' && called) return parseFunction(called, json)
  const custom = asObject(json.custom)
  const name = stringOf(custom, 'name')
  if (json.type !== 'custom' || name === undefined)
    return { type: 'server', name: stringOf(json, 'type') ?? 'unknown', source }
  return { type: 'custom', name, description: stringOf(custom, 'description'), source }
}

function parseFunction(called: JsonObject, json: JsonObject): Tool {
  const tool: Tool = {
    type: 'function',
    name: stringOf(called, 'name') ?? '',
    description: stringOf(called, 'description'),
    parameters: asObject(called.parameters),
    strict: typeof called.strict === 'boolean' ? called.strict : undefined,
    source: ownSource(json),
  }
  const cache = parseCacheMark(json) ?? parseCacheMark(called)
  return cache ? { ...tool, cache } : tool
}

/** A tool as an entry of `tools`; `undefined`, and reported, where the format can't ask for it. */
export function renderTool(tool: Tool, path: string, losses: Losses): JsonObject | undefined {
  const own = ownObject(tool.source)
  // An entry of `functions` has no type.
  if (own) return own.type === undefined ? { type: 'function', function: own } : own
  if (tool.type === 'server') {
    losses.drop(path)
    return undefined
  }
  if (tool.cache) losses.drop(`${path}.cache_control`)
  const { name, description } = tool
  const described = { name, ...(description !== undefined && { description }) }
  if (tool.type === 'custom')
    return { type: 'custom', custom: { ...described, ...renderInputFormat(tool, path, losses) } }
  const { parameters, strict } = tool
  return {
    type: 'function',
    function: {
      ...described,
      ...(parameters !== undefined && { parameters }),
      ...(strict !== undefined && { strict }),
    },
  }
}

/** Responses writes a custom tool's grammar flat, chat in an object of its own. */
function renderInputFormat(
  tool: Extract<Tool, { type: 'custom' }>,
  path: string,
  losses: Losses
): JsonObject {
  const format = asObject(asObject(tool.source.json)?.format)
  if (format === undefined) return {}
  const { type, syntax, definition } = format
  if (tool.source.protocol === 'openai-responses' && type === 'text') return { format: { type } }
  if (tool.source.protocol === 'openai-responses' && type === 'grammar')
    return { format: { type, grammar: { syntax, definition } } }
  losses.drop(`${path}.format`)
  return {}
}

/** `tool_choice`; `undefined` for one that the neutral model has no word for. */
export function parseToolChoice(choice: JsonValue): ToolChoice | undefined {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice }
  // Mistral's word for it.
  if (choice === 'any') return { type: 'required' }
  const object = asObject(choice)
  if (object?.type === 'allowed_tools') return parseAllowedTools(object)
  const name = namedTool(object)
  return name === undefined ? undefined : { type: 'tool', name }
}

/** `function_call` of old: a word, or the function by its name alone. */
export function parseFunctionChoice(choice: JsonValue): ToolChoice | undefined {
  if (choice === 'auto' || choice === 'none') return { type: choice }
  const name = stringOf(choice, 'name')
  return name === undefined ? undefined : { type: 'tool', name }
}

function parseAllowedTools(choice: JsonObject): ToolChoice | undefined {
  const allowed = asObject(choice.allowed_tools)
  const names: string[] = []
  for (const tool of asList(allowed?.tools)) {
    const name = namedTool(asObject(tool))
    if (name === undefined) return undefined
    names.push(name)
  }
  if (allowed?.mode !== 'auto' && allowed?.mode !== 'required') return undefined
  return { type: 'allowed', names, mode: allowed.mode }
}

function namedTool(object: JsonObject | undefined): string | undefined {
  if (object?.type !== 'function' && object?.type !== 'custom') return undefined
  return stringOf(recordOf(object, object.type), 'name')
}

/**
 * `tool_choice`. One that names a tool which is not told, or stands without any, would be refused: it is
 * dropped and reported.
 */
export function renderToolChoice(
  choice: ToolChoice,
  tools: Generation['tools'],
  losses: Losses
): JsonValue | undefined {
  const told = tools.filter((tool) => tool.type !== 'server' || ownObject(tool.source))
  if (told.length === 0) {
    losses.drop('tool_choice')
    return undefined
  }
  if (choice.type !== 'tool' && choice.type !== 'allowed') return choice.type
  const named = (name: string): JsonObject | undefined => {
    const tool = told.find((tool) => tool.name === name)
    if (tool === undefined || tool.type === 'server') return undefined
    return { type: tool.type, [tool.type]: { name } }
  }
  if (choice.type === 'tool') {
    const tool = named(choice.name)
    if (tool === undefined) losses.drop('tool_choice')
    return tool
  }
  const allowed = choice.names.map(named).filter((tool) => tool !== undefined)
  if (allowed.length < choice.names.length) losses.rewrite('tool_choice')
  return { type: 'allowed_tools', allowed_tools: { mode: choice.mode, tools: allowed } }
}
