import type { ChatTarget } from '../chat-protocol'
import type { Generation, Settings } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { asList, asObject, ownJson, ownObject } from './chat-json'
import { renderMessages } from './chat-messages-render'
import { parseSettings, SETTING_MEMBERS, SETTING_NAMES } from './chat-settings'
import { renderSettings } from './chat-settings-render'
import { renderTool, renderToolChoice } from './chat-tools'

/**
 * Writes the body of POST /v1/chat/completions. A request that came in this format keeps its members, their
 * order and those that are not known here: only the model, `stream` and what was edited since change. A
 * stream that the request did not already ask for is asked to tell its usage.
 * https://platform.openai.com/docs/api-reference/chat/create
 */
export function renderGeneration(
  generation: Generation,
  target: ChatTarget,
  losses: Losses
): JsonObject {
  const messages = renderMessages(generation.messages, losses)
  const template = ownObject(generation.source)
  const body = template
    ? fillTemplate(template, generation, messages, losses)
    : renderForeign(generation, messages, losses)
  body.model = target.model
  setStream(body, target.stream)
  return body
}

function renderForeign(generation: Generation, messages: JsonValue[], losses: Losses): JsonObject {
  const { tools, source } = generation
  const rendered = renderTools(generation, losses)
  return {
    model: generation.model,
    messages,
    ...(rendered.length > 0 && { tools: rendered }),
    ...renderSettings(generation, tools, source.protocol, losses),
  }
}

function renderTools({ tools }: Generation, losses: Losses): JsonObject[] {
  return tools
    .map((tool, index) => renderTool(tool, `tools.${index}`, losses))
    .filter((rendered) => rendered !== undefined)
}

function fillTemplate(
  template: JsonObject,
  generation: Generation,
  messages: JsonValue[],
  losses: Losses
): JsonObject {
  const body = { ...template }
  const isTold = asList(template.messages)
  // The very same messages keep what the neutral model has no place for, e.g. an empty list of parts.
  if (messages.length !== isTold.length || messages.some((json, index) => json !== isTold[index]))
    body.messages = messages
  if (!hasTools(template, generation)) setTools(body, generation, losses)
  setEdited(body, template, generation, losses)
  return body
}

/** Writes other tools; in place of `functions`, too, whose choice has another spelling. */
function setTools(body: JsonObject, generation: Generation, losses: Losses): void {
  const { toolChoice, tools } = generation
  const rendered = renderTools(generation, losses)
  if (rendered.length > 0) body.tools = rendered
  else delete body.tools
  if (body.functions === undefined) return
  delete body.functions
  delete body.function_call
  const choice = toolChoice && renderToolChoice(toolChoice, tools, losses)
  if (choice !== undefined) body.tool_choice = choice
}

/** The tools are those of the template, each as it came. */
function hasTools(template: JsonObject, { tools }: Generation): boolean {
  const listed = asList(template.tools ?? template.functions)
  return (
    tools.length === listed.length &&
    tools.every((tool, index) => ownJson(tool.source) === listed[index])
  )
}

/** Writes the settings and extras that are not what the template says. */
function setEdited(
  body: JsonObject,
  template: JsonObject,
  generation: Generation,
  losses: Losses
): void {
  const before = parseSettings(template)
  const edited: Settings = { ...generation, extras: {} }
  for (const name of SETTING_NAMES) {
    if (JSON.stringify(before[name]) === JSON.stringify(generation[name])) edited[name] = undefined
    else for (const member of SETTING_MEMBERS[name]) delete body[member]
  }
  Object.assign(body, renderSettings(edited, generation.tools, 'openai-chat', losses))
  for (const name of new Set([...Object.keys(before.extras), ...Object.keys(generation.extras)])) {
    const value = generation.extras[name]
    if (value === before.extras[name]) continue
    if (value === undefined) delete body[name]
    else body[name] = value
  }
}

function setStream(body: JsonObject, stream: boolean): void {
  const asked = body.stream === true
  if (stream === asked) return
  body.stream = stream
  if (stream) body.stream_options = { ...asObject(body.stream_options), include_usage: true }
  // Refused where there is no stream.
  else delete body.stream_options
}
