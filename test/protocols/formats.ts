import { accumulate } from '../../src/protocols/accumulate'
import type { Answer } from '../../src/protocols/answer'
import { anthropicMessages } from '../../src/protocols/messages/messages'
import { bedrockConverse } from '../../src/protocols/bedrock/bedrock'
import type { AnswerContext, ChatProtocol } from '../../src/protocols/chat-protocol'
import { cohereChat } from '../../src/protocols/cohere/cohere'
import { gemini } from '../../src/protocols/gemini/gemini'
import type { Part } from '../../src/protocols/generation'
import { ollamaChat } from '../../src/protocols/ollama/ollama'
import { openaiChat } from '../../src/protocols/openai/openai'
import { openaiResponses } from '../../src/protocols/responses/responses'
import type { StreamEvent } from '../../src/protocols/stream-event'
import { isRecord } from '../../src/std/record'

/** Every format of chats, as clients and upstreams speak it. */
export const FORMATS: ChatProtocol[] = [
  openaiChat,
  openaiResponses,
  anthropicMessages,
  gemini,
  bedrockConverse,
  cohereChat,
  ollamaChat,
]

/** A request that asks for all that an answer may hold. */
export const CONTEXT: AnswerContext = {
  requestId: '01a20578-8103-7792-94ed-a0150d8c80bb',
  createdAt: 1_750_000_000,
  model: 'm',
  request: {
    model: 'm',
    stream: true,
    includesUsage: true,
    messages: [],
    tools: [],
    extras: {},
    source: { protocol: 'openai-chat', json: null },
  },
}

/** The neutral events in a stream of a format that comes in pieces of `sizeBytes`. */
export function readStream(
  format: ChatProtocol,
  bytes: Uint8Array,
  sizeBytes: number
): StreamEvent[] {
  const framer = format.upstream.createFramer()
  const reader = format.chat.createEventReader()
  const events: StreamEvent[] = []
  for (let at = 0; at < bytes.length; at += sizeBytes)
    for (const { data, event } of framer.push(bytes.subarray(at, at + sizeBytes)))
      if (data !== undefined) events.push(...reader.read(data, event))
  return [...events, ...reader.end()]
}

/**
 * What an answer says, whoever says it. Where one text ends and the next begins, and whether thoughts stand before or
 * between them, not every format can tell.
 */
export function gist({ choices, usage }: Answer) {
  const [first] = choices
  const parts = first?.parts ?? []
  const ids = new Map<string, number>()
  return {
    finish: first?.finish.reason,
    text: textOf(parts, 'text'),
    reasoning: textOf(parts, 'reasoning'),
    refusal: textOf(parts, 'refusal'),
    calls: parts.flatMap((part) => {
      if (part.type !== 'tool_call') return []
      const number = ids.get(part.id) ?? ids.size
      ids.set(part.id, number)
      return [[number, part.name, argumentsOf(part.arguments)]]
    }),
    media: parts.filter(({ type }) => type === 'media').length,
    usage: [usage?.inputTokens, usage?.outputTokens],
  }
}

export const gistOfStream = (events: StreamEvent[]) => gist(accumulate(events))

function textOf(parts: readonly Part[], type: 'text' | 'reasoning' | 'refusal'): string {
  return parts.map((part) => (part.type === type ? part.text : '')).join('')
}

/** Free text, as custom tools have it and broken arguments are, stands in a member where only objects do. */
function argumentsOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text)
    const isWrapped = isRecord(value) && /^(input|arguments)$/.test(Object.keys(value).join())
    return isRecord(value) && !isWrapped ? value : 'text'
  } catch {
    return 'text'
  }
}
