import type { Generation, Message, Part, Tool } from './generation'

/**
 * Sets cache marks for a client whose format has none: behind the tools, behind the system turns that lead,
 * and behind the last two user turns, so that the next request of the conversation finds the one before. Four
 * is what providers take: https://platform.claude.com/docs/en/build-with-claude/prompt-caching. A conversation
 * that has marks of its own is left as it is.
 */
export function setCacheMarks(generation: Generation, ttl: string): Generation {
  if (hasMarks(generation)) return generation
  const { messages, tools } = generation
  const marked = new Set<number>()
  const lastSystem = messages.findIndex(({ role }) => role !== 'system') - 1
  if (lastSystem >= 0) marked.add(lastSystem)
  const users = messages.flatMap(({ role }, index) => (role === 'user' ? [index] : []))
  for (const index of users.slice(-2)) marked.add(index)
  return {
    ...generation,
    tools: tools.map((tool, index) => (index === tools.length - 1 ? markTool(tool, ttl) : tool)),
    messages: messages.map((message, index) =>
      marked.has(index) ? markTurn(message, ttl) : message
    ),
  }
}

function hasMarks({ messages, tools }: Generation): boolean {
  return (
    tools.some(({ cache }) => cache !== undefined) ||
    messages.some(({ parts }) => parts.some(({ cache }) => cache !== undefined))
  )
}

function markTool(tool: Tool, ttl: string): Tool {
  return tool.type === 'server' ? tool : { ...tool, cache: { ttl } }
}

function markTurn(message: Message, ttl: string): Message {
  const last = message.parts.findLastIndex((part) => isMarkable(part))
  return {
    ...message,
    parts: message.parts.map((part, index) =>
      index === last ? { ...part, cache: { ttl } } : part
    ),
  }
}

/** Empty texts are refused with a mark, thoughts are. */
function isMarkable(part: Part): boolean {
  if (part.type === 'text') return part.text !== ''
  return part.type === 'media' || part.type === 'tool_result'
}
