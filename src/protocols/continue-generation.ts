import type { Generation, Message } from './generation'
import type { JsonObject, JsonValue } from './json'

export type GoingOn = {
  /** What was said of the answer so far. */
  text: string
  /** About how many tokens that is: so many fewer may follow. */
  saidTokens: number
  /** The model takes the beginning of its own answer (`takesPrefill`). */
  isPrefilled: boolean
}

/** What a model is told that would begin a new answer behind a turn of its own. */
const GO_ON =
  'Continue exactly where your answer was cut off, in the middle of a sentence or a word if need be. ' +
  'Repeat nothing of what you said, and say nothing about having been interrupted.'

/**
 * The same chat with the beginning of its answer, such that what a model says next is the rest of it.
 *
 * A model that takes a prefill gets the text as the last turn, its own: then it goes on by itself, in the middle of a
 * word too. Claude does, but refuses one that ends in white space
 * (https://platform.claude.com/docs/en/build-with-claude/prompt-engineering/prefill-claudes-response), which is left
 * out and said by the model again, or not at all: `OverlapTrimmer` sees to both. All others get the text as a turn of
 * theirs, and a user's turn that asks them to go on: hosts that have a member for it (Mistral's and DeepSeek's
 * `prefix`) differ in where and for which models they take it. LiteLLM's fallback in the middle of a stream asks in
 * the same way, in a system turn before the text; a user's turn behind it needs no place for a second system turn,
 * and leaves the cached beginning of the prompt as it is.
 *
 * A text of nothing leaves the chat as it is: the answer begins anew.
 */
export function continueGeneration(generation: Generation, goingOn: GoingOn): Generation {
  const { text, saidTokens, isPrefilled } = goingOn
  const said = isPrefilled ? text.trimEnd() : text
  if (said.trim() === '') return generation
  const { maxTokens } = generation
  const left = maxTokens === undefined ? undefined : Math.max(1, maxTokens - saidTokens)
  const turns: Message[] = [{ role: 'assistant', parts: [{ type: 'text', text: said }] }]
  if (!isPrefilled) turns.push({ role: 'user', parts: [{ type: 'text', text: GO_ON }] })
  return {
    ...generation,
    ...(left !== undefined && { maxTokens: left }),
    messages: [...generation.messages, ...turns],
    source: { ...generation.source, json: withTurns(generation, turns, left) },
  }
}

/** Formats that write a request of their own as it came, whatever was edited since, have the turns in there. */
function withTurns(
  { source }: Generation,
  turns: readonly Message[],
  maxTokens: number | undefined
): JsonValue {
  const { protocol, json } = source
  if (protocol !== 'anthropic-messages' && protocol !== 'ollama-chat') return json
  if (!isObject(json) || !Array.isArray(json.messages)) return json
  const messages = [...json.messages, ...turns.map(toPlainTurn)]
  if (maxTokens === undefined) return { ...json, messages }
  if (protocol === 'anthropic-messages') return { ...json, messages, max_tokens: maxTokens }
  const options = isObject(json.options) ? json.options : {}
  return { ...json, messages, options: { ...options, num_predict: maxTokens } }
}

function toPlainTurn({ role, parts: [part] }: Message): JsonObject {
  return { role, content: part?.type === 'text' ? part.text : '' }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Whether a broken answer to this chat could be gone on with: it is one text. What the provider keeps for later would be
 * the broken half, and JSON that is begun by one model is seldom ended well by another.
 */
export function mayBeContinued(generation: Generation): boolean {
  const { choices = 1, format, logprobs, modalities, store, tools } = generation
  if (choices !== 1 || logprobs === true || store === true) return false
  if (format !== undefined && format.type !== 'text') return false
  if (modalities?.some((modality) => modality !== 'text')) return false
  return tools.every(({ type }) => type !== 'server')
}
