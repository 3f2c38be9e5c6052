import type { Generation, Part } from '../protocols/generation'
import { countTokens } from './tokens'

/** The prompt's tokens: four a message, as chat templates take, and those of texts and tools. */
export function promptTokens({ messages, tools }: Generation): number {
  const texts = messages.map(({ parts }) => 4 + countTokens(textOfParts(parts)))
  const told = tools.map((tool) => {
    const { source: _, ...said } = tool
    return countTokens(JSON.stringify(said))
  })
  return [...texts, ...told].reduce((sum, tokens) => sum + tokens, 3)
}

/** The text of parts, joined; parts that are no text are left out. */
export function textOfParts(parts: readonly Part[]): string {
  return parts.map(textOf).join('\n')
}

function textOf(part: Part): string {
  switch (part.type) {
    case 'text':
    case 'reasoning':
    case 'refusal':
      return part.text
    case 'tool_call':
      return `${part.name} ${part.arguments}`
    case 'tool_result':
      return textOfParts(part.parts)
    case 'media':
      return 'text' in part.data ? part.data.text : ''
    case 'native':
      return ''
  }
}
