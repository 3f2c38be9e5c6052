import type { Generation, Tool, ToolChoice } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { ownObject } from './own'

const ANY_OBJECT: JsonObject = { type: 'object', properties: {} }
const FREE_TEXT: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
}

/**
 * Writes `tools`, `strict_tools` and `tool_choice`. The format can force a call but no certain one, so a choice among
 * the tools is said by sending no others. https://docs.cohere.com/v2/docs/tool-use-overview
 */
export function renderTools(generation: Generation, losses: Losses): JsonObject {
  const { tools, toolChoice } = generation
  const chosen = chosenNames(toolChoice)
  const isChosen = ({ name, type }: Tool) => type === 'server' || chosen.includes(name)
  const narrows = tools.some(({ name, type }) => type !== 'server' && chosen.includes(name))
  const told: Tool[] = []
  const rendered = tools.flatMap((tool, index) => {
    if (narrows && !isChosen(tool)) {
      losses.drop(`tools.${index}`)
      return []
    }
    const one = renderTool(tool, `tools.${index}`, losses)
    if (one) told.push(tool)
    return one ? [one] : []
  })
  const choice = renderToolChoice(toolChoice, rendered.length > 0, narrows, losses)
  if (rendered.length === 0) return {}
  return {
    tools: rendered,
    ...renderStrict(generation.tools, told, losses),
    ...(choice !== undefined && { tool_choice: choice }),
  }
}

/** Strictness is all tools' or none's. */
function renderStrict(tools: readonly Tool[], told: readonly Tool[], losses: Losses): JsonObject {
  const isStrict = (tool: Tool) => tool.type === 'function' && tool.strict === true
  if (told.every(isStrict)) return { strict_tools: true }
  for (const tool of told) if (isStrict(tool)) losses.drop(`tools.${tools.indexOf(tool)}.strict`)
  const wasSaid = told.every((tool) => tool.type === 'function' && tool.strict === false)
  return wasSaid ? { strict_tools: false } : {}
}

function chosenNames(choice: ToolChoice | undefined): readonly string[] {
  if (choice?.type === 'tool') return [choice.name]
  return choice?.type === 'allowed' ? choice.names : []
}

function renderToolChoice(
  choice: ToolChoice | undefined,
  hasTools: boolean,
  narrows: boolean,
  losses: Losses
): string | undefined {
  if (choice === undefined || choice.type === 'auto') return undefined
  if (!hasTools) {
    losses.drop('tool_choice')
    return undefined
  }
  if (choice.type === 'none') return 'NONE'
  if (choice.type === 'required') return 'REQUIRED'
  if (!narrows) {
    losses.drop('tool_choice')
    return undefined
  }
  losses.rewrite('tool_choice')
  return 'mode' in choice && choice.mode === 'auto' ? undefined : 'REQUIRED'
}

function renderTool(tool: Tool, path: string, losses: Losses): JsonObject | undefined {
  const own = ownObject(tool.source)
  if (own) return own
  if (tool.cache) losses.drop(`${path}.cache_control`)
  if (tool.type === 'server') {
    losses.drop(path)
    return undefined
  }
  if (tool.type === 'custom') losses.rewrite(path)
  const isBare = tool.type === 'function' && tool.parameters === undefined
  // A function without arguments is written out.
  if (isBare) losses.rewrite(`${path}.parameters`)
  const parameters = tool.type === 'custom' ? FREE_TEXT : (tool.parameters ?? ANY_OBJECT)
  return {
    type: 'function',
    function: {
      name: tool.name,
      ...(tool.description !== undefined && { description: tool.description }),
      parameters,
    },
  }
}
