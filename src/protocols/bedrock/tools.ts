import { stringOf } from '../../std/record'
import type { Generation, Message, Tool, ToolChoice } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { asBoolean, asList, asObject, defined, invalid, ownJson, ownSource } from './converse-json'
import { parseCachePoint } from './parts'

/**
 * Tools and the choice among them:
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html
 */

/** The tools of `toolConfig`; a cache point marks the one before it. Throws `invalid_request` for what is no object. */
export function parseTools(toolConfig: JsonValue | undefined): Tool[] {
  const tools: Tool[] = []
  const listed = asList(asObject(toolConfig)?.tools)
  for (const [index, json] of listed.entries()) {
    if (asObject(json) === undefined)
      throw invalid(`toolConfig.tools.${index}`, 'must be an object')
    const mark = parseCachePoint(json)
    const last = tools.at(-1)
    if (mark && last && !last.cache) {
      last.cache = mark
      last.source = ownSource([last.source?.json ?? null, json])
    } else tools.push(parseTool(json))
  }
  return tools
}

function parseTool(json: JsonValue): Tool {
  const tool = asObject(json)
  const spec = asObject(tool?.toolSpec)
  const source = ownSource(json)
  const name = stringOf(spec, 'name')
  if (spec === undefined || name === undefined) {
    const [kind = 'unknown'] = Object.keys(tool ?? {})
    return { type: 'server', name: stringOf(asObject(tool?.[kind]), 'name') ?? kind, source }
  }
  const schema = asObject(asObject(spec.inputSchema)?.json)
  return {
    type: 'function',
    name,
    description: stringOf(spec, 'description'),
    parameters: isBare(schema) ? undefined : schema,
    strict: asBoolean(spec.strict),
    source,
  }
}

/** `{"type":"object"}`: how a function without arguments is told, since a schema must be there. */
function isBare(schema: JsonObject | undefined): boolean {
  return schema !== undefined && schema.type === 'object' && Object.keys(schema).length === 1
}

/** The choice; `undefined` for one that the neutral model has no word for. */
export function parseToolChoice(choice: JsonValue | undefined): ToolChoice | undefined {
  const object = asObject(choice)
  if (object?.auto !== undefined) return { type: 'auto' }
  if (object?.any !== undefined) return { type: 'required' }
  const name = stringOf(object?.tool, 'name')
  return name === undefined ? undefined : { type: 'tool', name }
}

/** What is asked of a request with tools: the tools that are told, and how they may be chosen. */
export type RenderedTools = { tools: JsonValue[]; toolChoice: JsonObject | undefined }

/**
 * `toolConfig.tools` and `toolChoice`. Bedrock has no choice of `none` and none among some tools: then the others are
 * not told. A conversation in which tools were called must tell them, whatever is chosen now.
 */
export function renderTools(generation: Generation, losses: Losses): RenderedTools {
  const { tools, toolChoice, messages } = generation
  const called = calledNames(messages)
  const isTold = chooseTold(generation, called.size > 0, losses)
  const told = new Set<string>()
  const rendered = tools.flatMap((tool, index) => {
    const entries = isTold(tool, index) ? renderTool(tool, `tools.${index}`, losses) : []
    if (entries.length > 0) told.add(tool.name)
    return entries
  })
  if (rendered.length === 0 && called.size > 0) {
    losses.rewrite('tools')
    for (const name of called) rendered.push(renderSpec(name, undefined, {}, undefined))
  }
  if (rendered.length === 0 && toolChoice && toolChoice.type !== 'none') losses.drop('tool_choice')
  return {
    tools: rendered,
    toolChoice: rendered.length > 0 ? renderToolChoice(toolChoice, told, losses) : undefined,
  }
}

function calledNames(messages: readonly Message[]): Set<string> {
  const names = new Set<string>()
  for (const { parts } of messages)
    for (const part of parts) {
      if (part.type === 'tool_call') names.add(toToolName(part.name))
      // A result whose call is not in the conversation needs a tool all the same.
      if (part.type === 'tool_result' && names.size === 0)
        names.add(toToolName(part.name ?? 'tool'))
    }
  return names
}

function chooseTold(
  { tools, toolChoice }: Generation,
  wasCalled: boolean,
  losses: Losses
): (tool: Tool, index: number) => boolean {
  if (toolChoice?.type === 'none') {
    losses.rewrite('tool_choice')
    if (!wasCalled && tools.length > 0) losses.drop('tools')
    return () => wasCalled
  }
  if (toolChoice?.type !== 'allowed') return () => true
  losses.rewrite('tool_choice')
  const { names } = toolChoice
  return ({ name }, index) => {
    if (names.includes(name)) return true
    losses.drop(`tools.${index}`)
    return false
  }
}

/** The tools of a request that came in this format, whose choice among them stays as it is. */
export function renderOwnTools(tools: readonly Tool[], losses: Losses): JsonValue[] {
  return tools.flatMap((tool, index) => renderTool(tool, `tools.${index}`, losses))
}

/** A tool and its cache point as entries of `tools`; none, and reported, where Bedrock can't ask for it. */
function renderTool(tool: Tool, path: string, losses: Losses): JsonValue[] {
  const own = ownJson(tool.source)
  if (own !== undefined) return withCachePoint(own, tool.cache)
  if (tool.type === 'server') {
    losses.drop(path)
    return []
  }
  const name = toToolName(tool.name)
  if (name !== tool.name) losses.rewrite(`${path}.name`)
  if (tool.description === '') losses.drop(`${path}.description`)
  const description = tool.description || undefined
  if (tool.type === 'custom') {
    // Its text goes as the one member of an object.
    losses.rewrite(path)
    return withCachePoint(renderSpec(name, description, TEXT_INPUT, undefined), tool.cache)
  }
  const schema = renderSchema(tool.parameters, path, losses)
  return withCachePoint(renderSpec(name, description, schema, tool.strict), tool.cache)
}

const TEXT_INPUT: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
}

/** Models refuse a schema that is not one of an object. */
function renderSchema(
  parameters: JsonObject | undefined,
  path: string,
  losses: Losses
): JsonObject {
  if (parameters === undefined) return {}
  if (isBare(parameters) || parameters.type === undefined) losses.rewrite(`${path}.parameters`)
  return parameters
}

function renderSpec(
  name: string,
  description: string | undefined,
  schema: JsonObject,
  strict: boolean | undefined
): JsonObject {
  const json = schema.type === undefined ? { type: 'object', ...schema } : schema
  return { toolSpec: defined({ name, description, inputSchema: { json }, strict }) }
}

/** What was rendered before a cache point, and the point as it came or anew; `own` may be the list of both. */
export function withCachePoint(own: JsonValue, cache: Tool['cache']): JsonValue[] {
  const blocks = Array.isArray(own) ? own : [own]
  const [first = null, point] = blocks
  if (cache === undefined) return [first]
  const before = parseCachePoint(point)
  return before && before.ttl === cache.ttl ? blocks : [first, renderCachePoint(cache.ttl)]
}

function renderCachePoint(ttl: string | undefined): JsonObject {
  return { cachePoint: defined({ type: 'default', ttl }) }
}

function renderToolChoice(
  choice: ToolChoice | undefined,
  told: ReadonlySet<string>,
  losses: Losses
): JsonObject | undefined {
  if (choice === undefined || choice.type === 'none') return undefined
  if (choice.type === 'tool') {
    if (told.has(choice.name)) return { tool: { name: toToolName(choice.name) } }
    // It would be refused: there is no such tool.
    losses.drop('tool_choice')
    return undefined
  }
  const mode = choice.type === 'allowed' ? choice.mode : choice.type
  return mode === 'required' ? { any: {} } : { auto: {} }
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html */
export function toToolName(name: string): string {
  return toLegal(name, 'tool')
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html */
export function toToolUseId(id: string): string {
  return toLegal(id, 'call')
}

const LEGAL = /^[a-zA-Z0-9_-]{1,64}$/

/** The same up to 64 letters, digits, `_` and `-` for the same text; two texts of one request will not meet. */
function toLegal(text: string, otherwise: string): string {
  if (LEGAL.test(text)) return text
  const readable = text.replaceAll(/[^a-zA-Z0-9_-]+/g, '_').slice(0, 48) || otherwise
  return `${readable}_${Bun.hash.xxHash64(text).toString(36)}`
}
