import type { Failure } from '../protocol'
import { fingerprint } from '../seed'
import type { ChatRequest } from './chat-request'

/** Where a host that speaks OpenAI's format gives state with its answers, and demands it back. */
export type Host = {
  /** The answers begin with `reasoning_content`. */
  thinks: boolean
  /** The id of a tool's call, for a text that no other call has. */
  callId(text: string): string
  /** What is wrong with the conversation, by this host's rules. */
  refuse(request: ChatRequest): Failure | undefined
}

const OPENAI: Host = {
  thinks: false,
  callId: (text) => `call_sim_${fingerprint(text)}`,
  refuse: () => undefined,
}

/** https://api-docs.deepseek.com/guides/thinking_mode */
const DEEPSEEK_THINKING: Host = { ...OPENAI, thinks: true, refuse: missingReasoning }

/** https://docs.mistral.ai/api */
const MISTRAL: Host = {
  ...OPENAI,
  callId: (text) => fingerprint(text).slice(0, 9),
  refuse: badToolCallId,
}

/** The host that a model's name tells: `mistral…`, `deepseek…-think…`; OpenAI for all others. */
export function hostOf(model: string): Host {
  if (model.startsWith('mistral')) return MISTRAL
  return /^deepseek[^;]*-think/.test(model) ? DEEPSEEK_THINKING : OPENAI
}

/** An empty `reasoning_content` is one; DeepSeek looks only whether it is there. */
function missingReasoning({ messages }: ChatRequest): Failure | undefined {
  const lacking = messages.some(
    ({ role, tool_calls: calls, reasoning_content: reasoning }) =>
      role === 'assistant' && (calls?.length ?? 0) > 0 && typeof reasoning !== 'string'
  )
  if (!lacking) return undefined
  return {
    status: 400,
    code: 'invalid_request_error',
    message: 'The `reasoning_content` in the thinking mode must be passed back to the API.',
  }
}

const MISTRAL_ID = /^[a-zA-Z0-9]{9}$/

/** Mistral's errors are the object that OpenAI puts into `error`. */
function badToolCallId({ messages }: ChatRequest): Failure | undefined {
  const ids = messages.flatMap(({ role, tool_calls: calls, tool_call_id: answered }) => [
    ...(calls ?? []).map(({ id }) => id),
    ...(role === 'tool' ? [answered] : []),
  ])
  const bad = ids.findIndex((id) => !MISTRAL_ID.test(id ?? ''))
  if (bad < 0) return undefined
  const message = `Tool call id was ${ids[bad] ?? null} but must be a-z, A-Z, 0-9, with a length of 9.`
  const code = '3280'
  const error = { object: 'error', message, type: 'invalid_function_call', param: null, code }
  return { status: 400, code, message, body: JSON.stringify(error) }
}
