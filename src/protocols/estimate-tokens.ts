import type { Generation, Part } from './generation'

/** English text of today's tokenizers; code and other scripts take more. */
const BYTES_A_TOKEN = 4
/** What a turn costs beside its words: role and marks. */
const TURN_TOKENS = 4
/** About what providers bill for an image of a megapixel. */
const MEDIA_TOKENS = 1_200

/** A chat as a counter of tokens takes it. */
export type PromptText = {
  /** All of its words: turns, tools, results. */
  readonly texts: readonly string[]
  /** What roles and media take beside the words. */
  readonly otherTokens: number
}

/** The words of a chat, and what the rest of it takes. */
export function toPromptText({ messages, tools }: Generation): PromptText {
  const texts: string[] = []
  let media = 0
  const add = (part: Part): void => {
    if (part.type === 'media') {
      if ('text' in part.data) texts.push(part.data.text)
      else media++
    } else if (part.type === 'tool_result') for (const inner of part.parts) add(inner)
    else texts.push(textOf(part))
  }
  for (const { parts } of messages) for (const part of parts) add(part)
  for (const { source, ...tool } of tools)
    texts.push(JSON.stringify(tool.type === 'function' ? tool : source?.json) ?? '')
  return { texts, otherTokens: messages.length * TURN_TOKENS + media * MEDIA_TOKENS }
}

/**
 * About how many tokens a chat takes, for a provider that can't be asked. An estimate by size alone, and to be
 * marked as one: a quarter of the UTF-8 bytes of all text, plus a little for each turn and each medium.
 */
export function estimateTokens(generation: Generation): number {
  const { texts, otherTokens } = toPromptText(generation)
  let bytes = 0
  for (const text of texts) bytes += Buffer.byteLength(text)
  return Math.ceil(bytes / BYTES_A_TOKEN) + otherTokens
}

function textOf(part: Exclude<Part, { type: 'media' | 'tool_result' }>): string {
  if (part.type === 'tool_call') return part.name + part.arguments
  return part.type === 'native' ? JSON.stringify(part.source.json) : part.text
}
