import { answerText, asksForRest, type Pieces, piecesOf, restOf, THOUGHT } from '../answer-text'
import type { Call } from '../protocol'
import { valueOfSchema } from '../schema-value'
import { seedOf } from '../seed'
import { splitTokens } from '../tokens'
import { type ChatRequest, lastText } from './chat-request'
import type { usageOf } from './endpoint'
import { type Host, hostOf } from './hosts'

export type ToolCall = { id: string; name: string; argumentPieces: string[] }

/** One choice of an answer, before it is written whole or as a stream. */
export type ChatChoice = Said & {
  /** The pieces of its reasoning; none where the host shows none. Their tokens count among `tokens`. */
  thoughts: string[]
}

type Said = ({ kind: 'text' } & Pieces) | { kind: 'tool-calls'; calls: ToolCall[]; tokens: number }

/** What the whole answer or every chunk of it repeats. */
export type ChatHead = { id: string; created: number; model: string }

export type ChatAnswer = {
  head: ChatHead
  choices: ChatChoice[]
  usage: ReturnType<typeof usageOf>
  usageQuirk: Call['quirks']['usage']
}

type FunctionTool = { name: string; parameters: Record<string, unknown> }

/**
 * What a model would do with the request: call a tool when it may and has no result yet, answer in
 * JSON when asked to, else talk. `undefined` when the request forces a tool that it does not give.
 */
export function chooseAnswer(
  request: ChatRequest,
  call: Call,
  choice: number
): ChatChoice | undefined {
  const host = hostOf(call.model)
  const said = chooseWords(request, call, choice, host)
  const thoughts = host.thinks ? splitTokens(THOUGHT) : []
  return said && { ...said, thoughts, tokens: thoughts.length + said.tokens }
}

function chooseWords(
  request: ChatRequest,
  call: Call,
  choice: number,
  host: Host
): Said | undefined {
  const tools = functionTools(request)
  const forced = forcedTool(request)
  if (forced !== undefined && !tools.some(({ name }) => name === forced)) return undefined
  const answersTool = request.messages.at(-1)?.role === 'tool'
  if (tools.length > 0 && request.tool_choice !== 'none' && !answersTool)
    return callTools(request, tools, forced, choice, host)
  const stop = request.stop ?? []
  const limits = {
    tokens: isJson(request) ? undefined : call.tokens,
    maxTokens: request.max_completion_tokens ?? request.max_tokens ?? undefined,
    stop: typeof stop === 'string' ? [stop] : stop,
    filler: call.quirks.filler,
  }
  return { kind: 'text', ...piecesOf(contentText(request, choice), limits) }
}

/** The answer, or what is left of it where the request has its beginning. */
function contentText(request: ChatRequest, choice: number): string {
  const { messages } = request
  const asksOn = messages.at(-1)?.role === 'user' && asksForRest(lastText(request, 'user'))
  const at = messages.length - (asksOn ? 2 : 1)
  if (messages[at]?.role !== 'assistant') return newText(request, choice)
  const begun = lastText({ ...request, messages: messages.slice(at, at + 1) }, 'assistant')
  return restOf(newText({ ...request, messages: messages.slice(0, at) }, choice), begun)
}

function newText(request: ChatRequest, choice: number): string {
  const asked = lastText(request, 'user')
  const { type, json_schema: named } = request.response_format ?? {}
  if (type === 'json_schema')
    return JSON.stringify(valueOfSchema(named?.schema ?? {}, seedOf(asked) + choice))
  if (request.messages.at(-1)?.role === 'tool') {
    const result = lastText(request, 'tool')
    const text = answerText(asked, choice)
    return type === 'json_object'
      ? JSON.stringify({ answer: text, tool_result: result })
      : `The tool answered: “${result.slice(0, 200).toWellFormed()}”. ${text}`
  }
  const text = answerText(asked, choice)
  return type === 'json_object' ? JSON.stringify({ answer: text, simulated: true }) : text
}

function callTools(
  request: ChatRequest,
  tools: FunctionTool[],
  forced: string | undefined,
  choice: number,
  host: Host
): Said {
  const asked = lastText(request, 'user')
  const several = request.parallel_tool_calls !== false && /\b(twice|parallel)\b/i.test(asked)
  const [first, second] = forced === undefined ? tools : tools.filter(({ name }) => name === forced)
  const chosen = first ? (several ? [first, second ?? first] : [first]) : []
  const calls = chosen.map(({ name, parameters }, index) => {
    const seed = seedOf(asked) + choice * chosen.length + index
    const id = host.callId(`${name} ${seed}`)
    const text = JSON.stringify(valueOfSchema({ type: 'object', ...parameters }, seed))
    return { id, name, argumentPieces: splitTokens(text) }
  })
  const tokens = calls.reduce((sum, { argumentPieces }) => sum + 1 + argumentPieces.length, 0)
  return { kind: 'tool-calls', calls, tokens }
}

function functionTools(request: ChatRequest): FunctionTool[] {
  return (request.tools ?? []).flatMap(({ function: tool }) =>
    tool ? [{ name: tool.name, parameters: tool.parameters ?? {} }] : []
  )
}

function forcedTool({ tool_choice: choice }: ChatRequest): string | undefined {
  return typeof choice === 'object' ? choice?.function?.name : undefined
}

function isJson({ response_format: format }: ChatRequest): boolean {
  return format?.type === 'json_object' || format?.type === 'json_schema'
}
