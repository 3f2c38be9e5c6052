import { stringOf } from '../../std/record'
import type { Tool, ToolChoice } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { asList, asObject, invalid, ownObject, ownSource } from './responses-json'

/**
 * Tools and the choice among them. https://platform.openai.com/docs/api-reference/responses/create
 */

/** `tools`. Throws `invalid_request` for what is no list of objects. */
export function parseTools(listed: JsonValue | undefined): Tool[] {
  if (listed === undefined || listed === null) return []
  if (!Array.isArray(listed)) throw invalid('tools', 'must be a list')
  return listed.map((json, index) => {
    const tool = asObject(json)
    if (tool === undefined) throw invalid(`tools.${index}`, 'must be an object')
    return parseTool(tool)
  })
}

/** Everything but functions and custom tools is run by the provider, or is known to OpenAI's models alone. */
function parseTool(json: JsonObject): Tool {
  const source = ownSource(json)
  const name = stringOf(json, 'name')
  const description = stringOf(json, 'description')
  if (json.type === 'custom' && name !== undefined)
    return { type: 'custom', name, description, source }
  if (json.type !== 'function' || name === undefined)
    return { type: 'server', name: stringOf(json, 'type') ?? 'unknown', source }
  return {
    type: 'function',
    name,
    description,
    parameters: asObject(json.parameters),
    strict: typeof json.strict === 'boolean' ? json.strict : undefined,
    source,
  }
}

/** An entry of `tools`; `undefined`, and reported at `path`, where the format can't ask for it. */
export function renderTool(tool: Tool, path: string, losses: Losses): JsonObject | undefined {
  const own = ownObject(tool.source)
  if (own) return own
  if (tool.type === 'server') {
    losses.drop(path)
    return undefined
  }
  if (tool.cache) losses.drop(`${path}.cache_control`)
  const { type, name, description } = tool
  const described = { type, name, ...(description !== undefined && { description }) }
  if (tool.type === 'custom') return { ...described, ...renderInputFormat(tool, path, losses) }
  // Left out, `strict` is on in this format and off in all others.
  return { ...described, parameters: tool.parameters ?? null, strict: tool.strict ?? false }
}

/** Chat has a custom tool's grammar in an object of its own, Responses writes it flat. */
function renderInputFormat(
  tool: Extract<Tool, { type: 'custom' }>,
  path: string,
  losses: Losses
): JsonObject {
  const { protocol, json } = tool.source
  const format = asObject(asObject(asObject(json)?.custom)?.format)
  if (protocol !== 'openai-chat' || format === undefined) return {}
  if (format.type === 'text') return { format: { type: 'text' } }
  const grammar = asObject(format.grammar)
  if (format.type === 'grammar' && grammar) return { format: { type: 'grammar', ...grammar } }
  losses.drop(`${path}.format`)
  return {}
}

/** `tool_choice`; `undefined` for one that the neutral model has no word for, e.g. a server's tool. */
export function parseToolChoice(choice: JsonValue): ToolChoice | undefined {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice }
  const object = asObject(choice)
  if (object?.type === 'allowed_tools') return parseAllowedTools(object)
  const name = namedTool(object)
  return name === undefined ? undefined : { type: 'tool', name }
}

function parseAllowedTools(choice: JsonObject): ToolChoice | undefined {
  const names: string[] = []
  for (const tool of asList(choice.tools)) {
    const name = namedTool(asObject(tool))
    if (name === undefined) return undefined
    names.push(name)
  }
  if (choice.mode !== 'auto' && choice.mode !== 'required') return undefined
  return { type: 'allowed', names, mode: choice.mode }
}

function namedTool(object: JsonObject | undefined): string | undefined {
  if (object?.type !== 'function' && object?.type !== 'custom') return undefined
  return stringOf(object, 'name')
}

/**
 * `tool_choice`. One that demands a tool which is not told would be refused: it is dropped and reported.
 */
export function renderToolChoice(
  choice: ToolChoice,
  tools: readonly Tool[],
  losses: Losses
): JsonValue | undefined {
  const told = tools.filter((tool) => tool.type !== 'server' || ownObject(tool.source))
  if (choice.type !== 'tool' && choice.type !== 'allowed') {
    if (choice.type !== 'required' || told.length > 0) return choice.type
    losses.drop('tool_choice')
    return undefined
  }
  const named = (name: string): JsonObject | undefined => {
    const tool = told.find((tool) => tool.name === name)
    if (tool === undefined || tool.type === 'server') return undefined
    return { type: tool.type, name }
  }
  const names = choice.type === 'tool' ? [choice.name] : choice.names
  const chosen = names.map(named).filter((tool) => tool !== undefined)
  if (chosen.length === 0) losses.drop('tool_choice')
  if (choice.type === 'tool' || chosen.length === 0) return chosen[0]
  if (chosen.length < names.length) losses.rewrite('tool_choice')
  return { type: 'allowed_tools', mode: choice.mode, tools: chosen }
}
