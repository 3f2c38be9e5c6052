import type { ChatTarget } from '../chat-protocol'
import type { Generation, Message, Part, Tool } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { renderMark, renderParts, toLegalName } from './blocks-render'
import { ownBody } from './generation-parse'
import { ownObject } from './own'
import { renderSettings } from './settings-render'

/**
 * Writes the body of POST /v1/messages. A request that came in this format keeps its members and their order.
 * https://platform.claude.com/docs/en/api/messages
 */
export function renderGeneration(
  generation: Generation,
  target: ChatTarget,
  losses: Losses
): JsonObject {
  const own = ownBody(generation)
  if (own) return renderOwn(own, target)
  const lead = generation.messages.findIndex(({ role }) => role !== 'system')
  const leading = lead < 0 ? generation.messages.length : lead
  const system = generation.messages.slice(0, leading)
  return {
    model: target.model,
    ...renderSystem(system, losses),
    messages: renderMessages(generation.messages, leading, losses),
    ...renderTools(generation, losses),
    ...renderSettings(generation, target.model, losses),
    ...(target.stream && { stream: true }),
  }
}

/** The body as it came: only the model and `stream` are another's to say. */
function renderOwn(own: JsonObject, target: ChatTarget): JsonObject {
  const body: JsonObject = { ...own, model: target.model }
  if (target.stream) body.stream = true
  else if (body.stream === true) body.stream = false
  return body
}

function renderSystem(system: readonly Message[], losses: Losses): JsonObject {
  const blocks = system.flatMap((message, index) => {
    if (message.name !== undefined) losses.drop(`messages.${index}.name`)
    return renderParts(message.parts, { role: 'system', path: `messages.${index}` }, losses)
  })
  const [only] = blocks
  if (only === undefined) return {}
  const isPlain = blocks.length === 1 && only.cache_control === undefined
  return { system: isPlain ? only.text : blocks }
}

/** Turns of one role are joined; within a user's turn the tools' results go first. */
function renderMessages(
  messages: readonly Message[],
  leading: number,
  losses: Losses
): JsonObject[] {
  const rendered: { role: string; content: JsonObject[] }[] = []
  messages.forEach((message, index) => {
    if (index < leading) return
    const path = `messages.${index}`
    const own = ownObject(message.source)
    if (message.name !== undefined && !own) losses.drop(`${path}.name`)
    // Not every model takes system turns between the others.
    if (message.role === 'system') losses.rewrite(`${path}.role`)
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const content = renderParts(resultsFirst(message.parts, path, losses), { role, path }, losses)
    if (content.length === 0) return
    const last = rendered.at(-1)
    if (last?.role === role) last.content = joinTurns(last.content, content)
    else rendered.push({ role, content })
  })
  return rendered.map(({ role, content }) => ({ role, content: toContent(content) }))
}

function resultsFirst(parts: readonly Part[], path: string, losses: Losses): readonly Part[] {
  const results = parts.filter(({ type }) => type === 'tool_result')
  if (results.length === 0) return parts
  const others = parts.filter(({ type }) => type !== 'tool_result')
  if (parts.slice(0, results.length).some(({ type }) => type !== 'tool_result'))
    losses.rewrite(path)
  return [...results, ...others]
}

/** A result that follows in the next turn belongs before what was said in between. */
function joinTurns(before: JsonObject[], after: JsonObject[]): JsonObject[] {
  const isResult = (block: JsonObject) => block.type === 'tool_result'
  const blocks = [...before, ...after]
  return [...blocks.filter(isResult), ...blocks.filter((block) => !isResult(block))]
}

function toContent(content: JsonObject[]): string | JsonObject[] {
  const [only] = content
  if (content.length !== 1 || only?.type !== 'text' || Object.keys(only).length !== 2)
    return content
  return typeof only.text === 'string' ? only.text : content
}

function renderTools({ tools }: Generation, losses: Losses): JsonObject {
  const rendered: JsonObject[] = []
  tools.forEach((tool, index) => {
    const own = renderTool(tool, `tools.${index}`, losses)
    if (own) rendered.push(own)
  })
  return rendered.length === 0 ? {} : { tools: rendered }
}

const ANY_OBJECT: JsonObject = { type: 'object', properties: {} }
const FREE_TEXT: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
}

function renderTool(tool: Tool, path: string, losses: Losses): JsonObject | undefined {
  const own = ownObject(tool.source)
  if (own) return own
  if (tool.type === 'server') {
    losses.drop(path)
    return undefined
  }
  const name = toLegalName(tool.name)
  if (name !== tool.name || tool.type === 'custom') losses.rewrite(path)
  return {
    name,
    ...(tool.description !== undefined && { description: tool.description }),
    input_schema: tool.type === 'custom' ? FREE_TEXT : (tool.parameters ?? ANY_OBJECT),
    ...(tool.type === 'function' && tool.strict !== undefined && { strict: tool.strict }),
    ...renderMark(tool.cache),
  }
}
