import { isRecord, stringOf } from '../../std/record'

/** Where a host departs from OpenAI's format in what it demands of a conversation with tools. */
export type ConversationQuirks = {
  /** Ids of tool calls must be nine letters and digits (Mistral). */
  shortToolCallIds: boolean
  /** An assistant turn that called tools must bring its `reasoning_content` back (DeepSeek). */
  wantsReasoningBack: boolean
}

/**
 * Brings the messages of a chat completion request into the shape that the host demands, in place. `recall`
 * gives the reasoning that came with a call, where it is known; else an empty one, which the host takes.
 * https://docs.mistral.ai/api, https://api-docs.deepseek.com/guides/thinking_mode
 */
export function mendConversation(
  body: unknown,
  quirks: ConversationQuirks,
  recall: (toolCallId: string) => string | undefined
): void {
  const messages = isRecord(body) ? body.messages : undefined
  if (!Array.isArray(messages)) return
  for (const message of messages) {
    if (!isRecord(message)) continue
    const calls: unknown[] = Array.isArray(message.tool_calls) ? message.tool_calls : []
    if (quirks.wantsReasoningBack && calls.length > 0 && message.role === 'assistant')
      message.reasoning_content ??= recallAny(calls, recall)
    if (!quirks.shortToolCallIds) continue
    for (const call of calls) if (isRecord(call)) shorten(call, 'id')
    shorten(message, 'tool_call_id')
  }
}

function recallAny(calls: unknown[], recall: (id: string) => string | undefined): string {
  for (const call of calls) {
    const id = stringOf(call, 'id')
    const known = id === undefined ? undefined : recall(id)
    if (known !== undefined) return known
  }
  return ''
}

function shorten(owner: Record<string, unknown>, name: string): void {
  const id = owner[name]
  if (typeof id === 'string') owner[name] = toShortId(id)
}

const SHORT_ID = /^[a-zA-Z0-9]{9}$/

/** The same nine letters and digits for the same id, so that a result still meets its call. */
export function toShortId(id: string): string {
  if (SHORT_ID.test(id)) return id
  // 36^9 is less than 2^64: the digits are spread evenly enough, and two ids of one chat will not meet.
  return (Bun.hash.xxHash64(id) % 36n ** 9n).toString(36).padStart(9, '0')
}

/** Gives members of a request the names that the host knows, in place; a name that is there already stays as it is. */
export function renameMembers(body: unknown, renames: Readonly<Record<string, string>>): void {
  if (!isRecord(body)) return
  for (const [name, known] of Object.entries(renames)) {
    if (!(name in body)) continue
    body[known] ??= body[name]
    delete body[name]
  }
}
