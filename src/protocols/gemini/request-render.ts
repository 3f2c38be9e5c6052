import type { ChatTarget } from '../chat-protocol'
import type { Generation, Settings, Tool } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { type Conversation, hasContents, renderConversation } from './contents-render'
import { get, getObject, type Member, ownObject, spellingIn, spellings } from './members'
import { parseTools } from './request-parse'
import { toResourceName } from './request'
import { isSchema } from './schema'
import { CONFIG_MEMBERS, parseSettings, type SettingName } from './settings'
import { renderSettings } from './settings-render'

/**
 * Writes the body of generateContent; model and stream stand in the path. A request that came in this format keeps its
 * members, their order and those that are not known here: only what was edited since changes.
 * https://ai.google.dev/api/generate-content
 */
export function renderGeneration(
  generation: Generation,
  target: ChatTarget,
  losses: Losses
): JsonObject {
  const conversation = renderConversation(generation, target.model, losses)
  const template = ownObject(generation.source)
  if (template) return fillTemplate(template, generation, conversation, target, losses)
  const { systemInstruction, contents } = conversation
  const tools = renderTools(generation.tools, losses)
  const { config, functionCallingConfig, top } = renderSettings(
    generation,
    generation.tools,
    target.model,
    losses
  )
  for (const name in generation.extras) losses.drop(name)
  return {
    ...(systemInstruction && { systemInstruction }),
    contents,
    ...(tools.length > 0 && { tools }),
    ...(functionCallingConfig && { toolConfig: { functionCallingConfig } }),
    ...(Object.keys(config).length > 0 && { generationConfig: config }),
    ...top,
  }
}

/** All functions in one entry, as Google wants them, and each tool of its own in another. */
function renderTools(tools: readonly Tool[], losses: Losses): JsonObject[] {
  const functionDeclarations: JsonObject[] = []
  const entries: JsonObject[] = []
  tools.forEach((tool, index) => {
    const path = `tools.${index}`
    const own = ownObject(tool.source)
    if (tool.type === 'function')
      functionDeclarations.push(own ?? renderFunction(tool, path, losses))
    else if (tool.type === 'server' && own) entries.push(own)
    // An answer's call of a custom tool would come as one of a function, which its client does not know.
    else losses.drop(path)
  })
  return functionDeclarations.length > 0 ? [{ functionDeclarations }, ...entries] : entries
}

function renderFunction(
  tool: Extract<Tool, { type: 'function' }>,
  path: string,
  losses: Losses
): JsonObject {
  const { name, description, parameters, strict } = tool
  if (tool.cache) losses.drop(`${path}.cache_control`)
  if (strict !== undefined) losses.drop(`${path}.strict`)
  return {
    name,
    ...(description !== undefined && { description }),
    ...(parameters &&
      (isSchema(parameters) ? { parameters } : { parametersJsonSchema: parameters })),
  }
}

function fillTemplate(
  template: JsonObject,
  generation: Generation,
  { systemInstruction, contents }: Conversation,
  target: ChatTarget,
  losses: Losses
): JsonObject {
  const body = { ...template }
  if (template.model !== undefined) body.model = toResourceName(target.model)
  if (!hasContents(template, contents)) body.contents = contents
  const told = get(template, 'systemInstruction')
  if (typeof told === 'string' ? !isText(systemInstruction, told) : told !== systemInstruction)
    put(body, 'systemInstruction', systemInstruction)
  if (!hasTools(template, generation.tools)) {
    const tools = renderTools(generation.tools, losses)
    if (tools.length > 0) body.tools = tools
    else delete body.tools
  }
  setEdited(body, template, generation, target, losses)
  return body
}

function isText(instruction: JsonObject | undefined, text: string): boolean {
  return JSON.stringify(instruction) === JSON.stringify({ parts: [{ text }] })
}

/** Sets the member in the spelling that the body uses, or takes it out. */
function put(body: JsonObject, name: Member, value: JsonObject | undefined): void {
  const spelled = spellingIn(body, name)
  if (value) body[spelled] = value
  else delete body[spelled]
}

/** The tools are those of the template, each as it came. */
function hasTools(template: JsonObject, tools: readonly Tool[]): boolean {
  const listed = parseTools(template.tools)
  return (
    listed.length === tools.length &&
    tools.every((tool, index) => isSameSource(tool, listed[index]))
  )
}

function isSameSource(tool: Tool, listed: Tool | undefined): boolean {
  const own = ownObject(tool.source)
  const told = ownObject(listed?.source)
  if (own === undefined || told === undefined || tool.name !== listed?.name) return false
  // What stands for a member of an entry is made anew by each reading.
  return own === told || (tool.type === 'server' && own[tool.name] === told[tool.name])
}

/** Writes the settings and extras that are not what the template says. */
function setEdited(
  body: JsonObject,
  template: JsonObject,
  generation: Generation,
  target: ChatTarget,
  losses: Losses
): void {
  const before = parseSettings(template)
  const changed = SETTING_NAMES.filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(generation[name])
  )
  const config = { ...getObject(template, 'generationConfig') }
  const toolConfig = { ...getObject(template, 'toolConfig') }
  const extras = changeExtras(body, config, toolConfig, before.extras, generation.extras)
  if (changed.length === 0 && !extras) return
  const edited: Settings = { extras: {} }
  for (const name of changed) {
    Object.assign(edited, { [name]: generation[name] })
    for (const member of CONFIG_MEMBERS[name] ?? [])
      for (const spelled of spellings(member)) delete config[spelled]
  }
  const rendered = renderSettings(edited, generation.tools, target.model, losses)
  Object.assign(config, rendered.config)
  if (changed.includes('toolChoice')) {
    for (const spelled of spellings('functionCallingConfig')) delete toolConfig[spelled]
    if (rendered.functionCallingConfig)
      toolConfig.functionCallingConfig = rendered.functionCallingConfig
  }
  for (const name of ['serviceTier', 'store'] as const)
    if (changed.includes(name)) for (const spelled of spellings(name)) delete body[spelled]
  Object.assign(body, rendered.top)
  put(body, 'generationConfig', isEmpty(config) ? undefined : config)
  put(body, 'toolConfig', isEmpty(toolConfig) ? undefined : toolConfig)
}

function isEmpty(object: JsonObject): boolean {
  return Object.keys(object).length === 0
}

/** Sets each extra that was edited where the template has it, else at the top; true when there was one. */
function changeExtras(
  body: JsonObject,
  config: JsonObject,
  toolConfig: JsonObject,
  before: JsonObject,
  extras: JsonObject
): boolean {
  let isChanged = false
  for (const name of new Set([...Object.keys(before), ...Object.keys(extras)])) {
    const value = extras[name]
    if (value === before[name]) continue
    isChanged = true
    const place = name in config ? config : name in toolConfig ? toolConfig : body
    if (value === undefined) delete place[name]
    else place[name] = value
  }
  return isChanged
}

const SETTING_NAMES: readonly SettingName[] = [
  'toolChoice',
  'parallelToolCalls',
  'maxTokens',
  'temperature',
  'topP',
  'topK',
  'frequencyPenalty',
  'presencePenalty',
  'seed',
  'stop',
  'choices',
  'logprobs',
  'topLogprobs',
  'format',
  'reasoning',
  'modalities',
  'audio',
  'verbosity',
  'user',
  'metadata',
  'serviceTier',
  'store',
  'promptCacheKey',
]
