/** What the tokenizer's thread is asked, and what it says. */
export type CountQuestion = { readonly id: number; readonly texts: readonly string[] }

export type CountAnswer = { readonly id: number; readonly counts: readonly number[] }

/** The question in a message from the other thread; `undefined` for what is none. */
export function toQuestion(message: unknown): CountQuestion | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  if (!('id' in message) || !('texts' in message)) return undefined
  const { id, texts } = message
  if (typeof id !== 'number' || !Array.isArray(texts)) return undefined
  return { id, texts: texts.map(String) }
}
