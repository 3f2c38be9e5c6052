import type { ChatTarget } from '../chat-protocol'
import type { Generation, Settings } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { renderMessages } from './messages-render'
import { asList, ownObject } from './own'
import { parseSettings, SETTING_MEMBERS } from './settings'
import { renderSettings } from './settings-render'
import { renderTools } from './tools-render'

/**
 * Writes the body of POST /v2/chat; what the format can't say goes to `losses`. A request that came in this format
 * keeps its members, their order and those that are not known here: only the model, `stream` and what was edited
 * since change. https://docs.cohere.com/v2/reference/chat
 */
export function renderGeneration(
  generation: Generation,
  target: ChatTarget,
  losses: Losses
): JsonObject {
  const messages = renderMessages(generation.messages, losses)
  const template = ownObject(generation.source)
  const body: JsonObject = template
    ? fillTemplate(template, generation, messages, losses)
    : {
        model: target.model,
        messages,
        ...renderTools(generation, losses),
        ...renderSettings(generation, generation.tools.length > 0, losses),
      }
  body.model = target.model
  if (target.stream) body.stream = true
  else if (body.stream === true) body.stream = false
  return body
}

/** The request's own body with what was edited since written anew. */
function fillTemplate(
  template: JsonObject,
  generation: Generation,
  messages: JsonObject[],
  losses: Losses
): JsonObject {
  const body = { ...template }
  const told = asList(template.messages)
  if (messages.length !== told.length || messages.some((json, index) => json !== told[index]))
    body.messages = messages
  const before = parseSettings(template)
  if (!hasTools(template, generation) || isEdited(before, generation, 'toolChoice')) {
    for (const member of ['tools', 'strict_tools', 'tool_choice']) delete body[member]
    Object.assign(body, renderTools(generation, losses))
  }
  setEdited(body, before, generation, losses)
  return body
}

/** What the template may say otherwise by now; the choice of tools goes with them. */
const NAMES = [
  'maxTokens',
  'temperature',
  'topP',
  'topK',
  'frequencyPenalty',
  'presencePenalty',
  'seed',
  'stop',
  'logprobs',
  'format',
  'reasoning',
] as const satisfies readonly (keyof typeof SETTING_MEMBERS)[]

/** Writes the settings and extras that are not what the template says. */
function setEdited(
  body: JsonObject,
  before: Settings,
  generation: Generation,
  losses: Losses
): void {
  const edited: Settings = { ...generation, extras: {} }
  for (const name of NAMES) {
    if (!isEdited(before, generation, name)) edited[name] = undefined
    else for (const member of SETTING_MEMBERS[name]) delete body[member]
  }
  Object.assign(body, renderSettings(edited, generation.tools.length > 0, losses))
  for (const name of new Set([...Object.keys(before.extras), ...Object.keys(generation.extras)])) {
    const value = generation.extras[name]
    // Said with the tools.
    if (value === before.extras[name] || name === 'strict_tools') continue
    if (value === undefined) delete body[name]
    else body[name] = value
  }
}

function isEdited(before: Settings, generation: Generation, name: keyof Settings): boolean {
  return JSON.stringify(before[name]) !== JSON.stringify(generation[name])
}

/** The tools are those of the template, each as it came. */
function hasTools(template: JsonObject, { tools }: Generation): boolean {
  const listed = asList(template.tools)
  return (
    tools.length === listed.length &&
    tools.every((tool, index) => ownObject(tool.source) === listed[index])
  )
}
