import { GatewayError } from '../../errors/gateway-error'
import type { Generation } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { openaiChatHalves } from '../openai/chat-halves'
import type { RequestRoute } from '../protocol'
import { isRecord } from '../../std/record'

/** Members that mean the same by another name in OpenAI's chats, which Cohere's are shaped after. */
const RENAMED: Readonly<Record<string, string>> = {
  p: 'top_p',
  stop_sequences: 'stop',
  k: 'top_k',
}

/** Members that are said in another way. */
const TOLD_APART = new Set([
  'messages',
  'tool_choice',
  'response_format',
  'thinking',
  'strict_tools',
])

/**
 * Reads the body of POST /v2/chat by way of OpenAI's format; what only Cohere knows stays among the extras. Throws
 * `invalid_request`. https://docs.cohere.com/v2/reference/chat
 */
export function parseGeneration(body: JsonObject, route: RequestRoute): Generation {
  const told: JsonObject = {}
  for (const [name, value] of Object.entries(body))
    if (!TOLD_APART.has(name) && name !== 'k') told[RENAMED[name] ?? name] = value
  told.messages = toMessages(body.messages)
  const choice = toToolChoice(body.tool_choice)
  if (choice !== undefined) told.tool_choice = choice
  const format = toFormat(body.response_format)
  if (format !== undefined) told.response_format = format
  const generation = openaiChatHalves.parseGeneration(told, route)
  const topK = typeof body.k === 'number' ? { topK: body.k } : {}
  const reasoning = toReasoning(body.thinking)
  return {
    ...generation,
    ...topK,
    ...(reasoning && { reasoning }),
    includesUsage: true,
    // No body of OpenAI's: what is not known there must not reach an upstream by it.
    source: { protocol: 'cohere-chat', json: body },
  }
}

function toMessages(messages: JsonValue | undefined): JsonValue {
  if (!Array.isArray(messages)) throw invalid('messages', 'must be a list of at least one message')
  return messages.map((message): JsonValue => {
    if (!isRecord(message)) return message
    const { tool_plan: plan, ...told } = message
    // What Cohere calls a plan is what others say before their calls.
    if (typeof plan === 'string' && told.content === undefined) told.content = plan
    if (told.role === 'tool') told.content = toResult(told.content)
    return told
  })
}

/** A tool's result may be documents, whose data is text. */
function toResult(content: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(content)) return content
  return content.map((part): JsonValue => {
    const document = isRecord(part) && part.type === 'document' ? part.document : undefined
    if (!isRecord(document)) return part
    const { data } = document
    return { type: 'text', text: typeof data === 'string' ? data : JSON.stringify(data ?? null) }
  })
}

function toToolChoice(choice: JsonValue | undefined): string | undefined {
  if (choice === 'REQUIRED') return 'required'
  return choice === 'NONE' ? 'none' : undefined
}

/** https://docs.cohere.com/v2/docs/structured-outputs */
function toFormat(format: JsonValue | undefined): JsonValue | undefined {
  if (!isRecord(format)) return undefined
  const schema = format.json_schema ?? format.schema
  if (format.type !== 'json_object' || schema === undefined) return format
  return { type: 'json_schema', json_schema: { name: 'answer', schema } }
}

function toReasoning(thinking: JsonValue | undefined): Generation['reasoning'] {
  if (!isRecord(thinking)) return undefined
  const { type, token_budget: budget } = thinking
  return {
    enabled: type !== 'disabled',
    ...(typeof budget === 'number' && { budgetTokens: budget }),
  }
}

function invalid(param: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `'${param}' ${what}`, { param })
}
