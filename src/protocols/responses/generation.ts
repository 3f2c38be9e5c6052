import type { ChatTarget } from '../chat-protocol'
import type { Generation, Settings } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { Losses } from '../losses'
import { parseInput } from './input-parse'
import { renderInput, textInput } from './input-render'
import { asObject, invalid, ownJson, ownSource } from './responses-json'
import { parseSettings } from './settings'
import { renderSettings } from './settings-render'
import { parseTools, renderTool } from './tools'

/**
 * Reads a body of POST /v1/responses. Throws `invalid_request` for what the format itself refuses.
 * https://platform.openai.com/docs/api-reference/responses/create
 */
export function parseGeneration(body: JsonObject): Generation {
  const { model, stream } = body
  if (typeof model !== 'string' || model === '')
    throw invalid('model', 'must be a non-empty string')
  return {
    ...parseSettings(body),
    model,
    stream: stream === true,
    includesUsage: true,
    messages: parseInput(body),
    tools: parseTools(body.tools),
    source: ownSource(body),
  }
}

/**
 * Writes a body of POST /v1/responses. One that came in this format keeps its members and their order, with
 * what was edited changed; any other asks the provider not to keep the answer, as only this format would.
 */
export function renderGeneration(
  generation: Generation,
  target: ChatTarget,
  losses: Losses
): JsonObject {
  const { instructions, items } = renderInput(generation.messages, losses)
  const tools = generation.tools
    .map((tool, index) => renderTool(tool, `tools.${index}`, losses))
    .filter((tool) => tool !== undefined)
  const own = asObject(ownJson(generation.source))
  if (own) {
    const body: JsonObject = { ...own, model: target.model }
    if (own.stream !== undefined || target.stream) body.stream = target.stream
    setMember(body, 'input', renderOwnInput(own, items))
    setMember(
      body,
      'instructions',
      instructions ?? (own.instructions ? undefined : own.instructions)
    )
    setMember(body, 'tools', tools.length > 0 || own.tools ? tools : own.tools)
    changeSettings(body, own, generation, losses)
    return body
  }
  const { protocol } = generation.source
  return {
    model: target.model,
    ...(instructions !== undefined && { instructions }),
    input: items,
    ...(tools.length > 0 && { tools }),
    store: false,
    ...renderSettings(generation, { tools: generation.tools, from: protocol }, losses),
    ...(target.stream && { stream: true }),
  }
}

/** An input that was a text stays one as long as it can. */
function renderOwnInput(own: JsonObject, items: JsonObject[]): JsonValue | undefined {
  if (own.input === '' && items.length === 0) return own.input
  if (typeof own.input === 'string') return textInput(items) ?? items
  return items.length > 0 || Array.isArray(own.input) ? items : own.input
}

function setMember(body: JsonObject, name: string, value: JsonValue | undefined): void {
  if (value === undefined) delete body[name]
  else body[name] = value
}

/** Brings settings that were edited since the body was read into it; the others stay as they were spelled. */
function changeSettings(
  body: JsonObject,
  own: JsonObject,
  generation: Generation,
  losses: Losses
): void {
  const before = parseSettings(own)
  const after: Settings = toSettings(generation)
  if (Bun.deepEquals(before, after)) return
  const unreported = new Losses()
  const told = renderSettings(before, originOf(parseTools(own.tools)), unreported)
  const now = renderSettings(after, originOf(generation.tools), losses)
  for (const name of new Set([...Object.keys(told), ...Object.keys(now)]))
    if (!Bun.deepEquals(told[name], now[name])) setMember(body, name, now[name])
}

function originOf(tools: Generation['tools']) {
  return { tools, from: 'openai-responses' as const }
}

function toSettings(generation: Generation): Settings {
  const settings: Settings & Partial<Generation> = { ...generation }
  for (const name of NO_SETTINGS) delete settings[name]
  return settings
}

const NO_SETTINGS = [
  'model',
  'stream',
  'includesUsage',
  'messages',
  'tools',
  'previousId',
  'source',
] as const
