import type { Finish } from '../protocols/answer'
import type {
  Generation,
  Message,
  ReasoningPart,
  Signature,
  TextPart,
  ToolCallPart,
} from '../protocols/generation'
import type { Usage } from '../protocols/usage'
import { isRecord } from '../std/record'
import { answerText, asksForRest, piecesOf, restOf, THOUGHT } from './answer-text'
import { promptTokens, textOfParts } from './prompt-tokens'
import type { Call } from './protocol'
import { valueOfSchema } from './schema-value'
import { fingerprint, seedOf } from './seed'
import { countTokens, splitTokens } from './tokens'

/** A part of the answer before its text is in it, and the pieces that the text leaves in. */
export type ScriptedPart = {
  part: TextPart | ReasoningPart | ToolCallPart
  pieces: Iterable<string>
}

export type ScriptedChoice = { parts: ScriptedPart[]; finish: Finish; tokens: number }

/** What the simulated model says, before a format writes it whole or as a stream. */
export type ScriptedAnswer = {
  id: string
  model: string
  choices: ScriptedChoice[]
  usage: Usage
  /** Of all choices: what the answer is paced by. */
  tokens: number
}

/** What differs between the makers of models. */
export type ScriptStyle = {
  /** Whose signatures stand on thoughts. */
  maker: Signature['maker']
  /** What an answer's id begins with. */
  idPrefix: string
  /** What the id of a tool's call begins with. */
  callPrefix: string
  /**
   * What carries the signature of thoughts: they themselves; or, with Google's models, the first call of a tool,
   * else the text; or nothing, where thoughts come as a summary and encrypted.
   */
  signs: 'thoughts' | 'what-follows' | 'nothing'
}

type Scripting = { generation: Generation; call: Call; style: ScriptStyle; choice: number }

/**
 * What a model would do with the request: call a tool when it may and has no result yet, answer in JSON
 * when asked to, else talk; and think first when asked to. Equal requests give equal answers.
 * `undefined` when the request forces a tool that it does not give.
 */
export function scriptAnswer(
  generation: Generation,
  call: Call,
  style: ScriptStyle
): ScriptedAnswer | undefined {
  const choices: ScriptedChoice[] = []
  for (let choice = 0; choice < (generation.choices ?? 1); choice++) {
    const scripted = scriptChoice({ generation, call, style, choice })
    if (!scripted) return undefined
    choices.push(scripted)
  }
  const thinkingTokens = isThinking(generation) ? countTokens(THOUGHT) * choices.length : 0
  const tokens = choices.reduce((sum, choice) => sum + choice.tokens, 0)
  const conversation = generation.messages.map((message) => textOfParts(message.parts)).join('\n')
  return {
    id: `${style.idPrefix}${fingerprint(`${call.model}\n${conversation}`)}`,
    model: call.model,
    choices,
    tokens,
    usage: {
      inputTokens: promptTokens(generation),
      outputTokens: tokens,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: thinkingTokens,
      audioInputTokens: undefined,
      audioOutputTokens: undefined,
    },
  }
}

/** The request switches thinking on, and wants to see it. */
function isThinking({ reasoning }: Generation): boolean {
  if (!reasoning || reasoning.enabled === false) return false
  return reasoning.effort !== 'none' && reasoning.summary !== 'none'
}

function scriptChoice(scripting: Scripting): ScriptedChoice | undefined {
  const { generation } = scripting
  const names = callableNames(generation)
  const forced = generation.toolChoice?.type === 'tool' ? generation.toolChoice.name : undefined
  if (forced !== undefined && !names.includes(forced)) return undefined
  const thoughts = isThinking(generation) ? [thought(scripting)] : []
  const mayCall = names.length > 0 && !answersTool(generation)
  return mayCall ? callTools(scripting, names, thoughts) : talk(scripting, thoughts)
}

function thought({ generation, style, choice }: Scripting): ScriptedPart {
  const name = fingerprint(`thought ${choice} ${lastText(generation)}`)
  const part: ReasoningPart = { type: 'reasoning', text: '' }
  if (style.signs === 'nothing') part.isSummary = true
  if (style.signs === 'thoughts') part.signature = signature(style, name)
  if (wantsEncrypted(generation)) part.encrypted = signature(style, name)
  return { part, pieces: splitTokens(THOUGHT) }
}

/** Opaque to everyone, and in base64, as the makers' own are. */
function signature({ maker }: ScriptStyle, name: string): Signature {
  return { maker, value: Buffer.from(`simulated signature ${name}`).toString('base64') }
}

/** `include` of OpenAI's Responses, which the neutral model has no word for. */
function wantsEncrypted({ source }: Generation): boolean {
  const include = isRecord(source.json) ? source.json['include'] : undefined
  return Array.isArray(include) && include.includes('reasoning.encrypted_content')
}

function talk(scripting: Scripting, thoughts: ScriptedPart[]): ScriptedChoice {
  const { generation, call, style, choice } = scripting
  const thinkingTokens = thoughts.length * countTokens(THOUGHT)
  const { maxTokens } = generation
  const isJson = generation.format !== undefined && generation.format.type !== 'text'
  const { pieces, tokens, finishReason, stopSequence } = piecesOf(contentText(scripting), {
    tokens: isJson ? undefined : call.tokens,
    maxTokens: maxTokens === undefined ? undefined : Math.max(1, maxTokens - thinkingTokens),
    stop: generation.stop ?? [],
    filler: call.quirks.filler,
  })
  const part: TextPart = { type: 'text', text: '' }
  if (style.signs === 'what-follows' && thoughts.length > 0)
    part.signature = signature(style, fingerprint(`text ${choice} ${lastText(generation)}`))
  return {
    parts: [...thoughts, { part, pieces }],
    finish:
      stopSequence === undefined
        ? { reason: finishReason, native: finishReason }
        : { reason: 'stop_sequence', native: 'stop_sequence', stopSequence },
    tokens: thinkingTokens + tokens,
  }
}

/** The beginning of the answer that the request has, and the chat before it; `undefined` where it has none. */
function begunAnswer(generation: Generation): { said: string; before: Message[] } | undefined {
  const turns = generation.messages
  const last = turns.at(-1)
  const asksOn = last?.role === 'user' && asksForRest(lastText(generation))
  const at = turns.length - (asksOn ? 2 : 1)
  const begun = turns[at]
  if (begun?.role !== 'assistant' || begun.parts.some(({ type }) => type !== 'text'))
    return undefined
  return { said: textOfParts(begun.parts), before: turns.slice(0, at) }
}

function contentText(scripting: Scripting): string {
  const begun = begunAnswer(scripting.generation)
  if (begun === undefined) return newText(scripting)
  const generation = { ...scripting.generation, messages: begun.before }
  return restOf(newText({ ...scripting, generation }), begun.said)
}

function newText({ generation, choice }: Scripting): string {
  const asked = lastText(generation)
  const { format } = generation
  if (format?.type === 'schema')
    return JSON.stringify(valueOfSchema(format.schema, seedOf(asked) + choice))
  const text = answerText(asked, choice)
  const isJson = format?.type === 'json'
  if (!answersTool(generation))
    return isJson ? JSON.stringify({ answer: text, simulated: true }) : text
  const result = lastResult(generation)
  return isJson
    ? JSON.stringify({ answer: text, tool_result: result })
    : `The tool answered: “${result.slice(0, 200).toWellFormed()}”. ${text}`
}

function callTools(
  { generation, style, choice }: Scripting,
  names: string[],
  thoughts: ScriptedPart[]
): ScriptedChoice {
  const asked = lastText(generation)
  const several = generation.parallelToolCalls !== false && /\b(twice|parallel)\b/i.test(asked)
  const [first, second] = names
  const chosen = first === undefined ? [] : several ? [first, second ?? first] : [first]
  const calls = chosen.map((name, index): ScriptedPart => {
    const seed = seedOf(asked) + choice * chosen.length + index
    const mark = fingerprint(`${name} ${seed}`)
    const part: ToolCallPart = {
      type: 'tool_call',
      id: `${style.callPrefix}${mark}`,
      name,
      arguments: '',
    }
    if (style.signs === 'what-follows' && index === 0) part.signature = signature(style, mark)
    const tool = generation.tools.find((tool) => tool.name === name)
    if (tool?.type === 'custom') part.isCustom = true
    return { part, pieces: splitTokens(argumentsOf(tool, seed)) }
  })
  const parts = [...thoughts, ...calls]
  const tokens = calls.reduce((sum, { pieces }) => sum + 1 + [...pieces].length, 0)
  return {
    parts,
    finish: { reason: 'tool_calls', native: 'tool_calls' },
    tokens: tokens + thoughts.length * countTokens(THOUGHT),
  }
}

function argumentsOf(tool: Generation['tools'][number] | undefined, seed: number): string {
  if (tool?.type !== 'function') return 'simulated input'
  return JSON.stringify(valueOfSchema({ type: 'object', ...tool.parameters }, seed))
}

/** The tools that the model may call now, functions first; those the provider runs are none of them. */
function callableNames({ tools, toolChoice }: Generation): string[] {
  if (toolChoice?.type === 'none') return []
  const named = (type: string) => tools.filter((tool) => tool.type === type)
  const names = [...named('function'), ...named('custom')].map(({ name }) => name)
  if (toolChoice?.type === 'tool') return names.filter((name) => name === toolChoice.name)
  if (toolChoice?.type === 'allowed') return names.filter((name) => toolChoice.names.includes(name))
  return names
}

function answersTool({ messages }: Generation): boolean {
  const last = messages.findLast(({ role }) => role !== 'system')
  return last?.parts.some(({ type }) => type === 'tool_result') ?? false
}

/** What the user said last, tool results aside; '' for nothing. */
function lastText({ messages }: Generation): string {
  const says = ({ role, parts }: Message) =>
    role === 'user' && parts.some(({ type }) => type === 'text')
  const message = messages.findLast(says)
  return message ? textOfParts(message.parts.filter(({ type }) => type === 'text')) : ''
}

function lastResult({ messages }: Generation): string {
  const results = messages
    .flatMap(({ parts }) => parts)
    .filter((part) => part.type === 'tool_result')
  const last = results.at(-1)
  return last ? textOfParts(last.parts) : ''
}
