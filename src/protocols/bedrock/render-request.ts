import type { ChatTarget } from '../chat-protocol'
import type { Generation } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { asList, asObject, ownObject } from './converse-json'
import { renderMessages } from './render-messages'
import { renderSettings } from './render-settings'
import { parseSettings, SETTING_MEMBERS } from './settings'
import { renderOwnTools } from './tools'

/**
 * Writes the body of POST /model/{id}/converse and converse-stream. A request that came in this format keeps its
 * members, their order and those that are not known here: only what was edited since changes. Model and stream stand in
 * the path: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
export function renderGeneration(
  generation: Generation,
  target: ChatTarget,
  losses: Losses
): JsonObject {
  const { system, messages } = renderMessages(generation, target.model, losses)
  const template = ownObject(generation.source)
  if (template) return fillTemplate(template, generation, { system, messages }, target, losses)
  return {
    messages,
    ...(system.length > 0 && { system }),
    ...renderSettings(generation, target.model, losses),
  }
}

function fillTemplate(
  template: JsonObject,
  generation: Generation,
  rendered: { system: JsonValue[]; messages: JsonValue[] },
  target: ChatTarget,
  losses: Losses
): JsonObject {
  const body = { ...template }
  setList(body, 'messages', rendered.messages)
  setList(body, 'system', rendered.system)
  if (isEdited(template, generation)) {
    for (const name of [...SETTING_MEMBERS, 'toolConfig']) delete body[name]
    return { ...body, ...renderSettings(generation, target.model, losses) }
  }
  const toolConfig = asObject(body.toolConfig)
  const tools = renderOwnTools(generation.tools, losses)
  if (toolConfig) {
    const config = { ...toolConfig }
    setList(config, 'tools', tools)
    body.toolConfig = config
  } else if (tools.length > 0) body.toolConfig = { tools }
  return body
}

/** The list in its place; an empty one only where there was one. */
function setList(owner: JsonObject, name: string, list: JsonValue[]): void {
  if (list.length > 0) owner[name] = list
  else if (asList(owner[name]).length > 0) delete owner[name]
}

/** A setting is not what the template says. */
function isEdited(template: JsonObject, generation: Generation): boolean {
  const before = parseSettings(template)
  const names = new Set<string>([...Object.keys(before), ...SETTING_NAMES])
  const now = new Map<string, unknown>(Object.entries(generation))
  const then = new Map<string, unknown>(Object.entries(before))
  for (const name of names)
    if (JSON.stringify(then.get(name)) !== JSON.stringify(now.get(name))) return true
  return false
}

/** Those that this format has no member for, but that an editor may have set. */
const SETTING_NAMES = ['seed', 'user', 'choices', 'frequencyPenalty', 'presencePenalty'] as const
