import { GatewayError } from '../../errors/gateway-error'
import { isRecord, stringOf } from '../../std/record'
import type { Answer, Choice, Finish, FinishReason } from '../answer'
import type { AnswerContext } from '../chat-protocol'
import type { Citation, Part } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { renderInput, toLegalName } from './blocks-render'
import { parseBlock } from './blocks-parse'
import { toStreamError } from './errors'
import { asObject, ownObject, ownSource, toLegalId } from './own'
import { parseUsage, renderUsage } from './usage'

const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop_sequence',
  max_tokens: 'length',
  model_context_window_exceeded: 'context_window',
  tool_use: 'tool_calls',
  pause_turn: 'pause',
  refusal: 'refusal',
}

const STOP_REASONS: Readonly<Record<FinishReason, string | undefined>> = {
  stop: 'end_turn',
  stop_sequence: 'stop_sequence',
  length: 'max_tokens',
  context_window: 'model_context_window_exceeded',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
  refusal: 'refusal',
  pause: 'pause_turn',
  unknown: undefined,
}

/** The end as the neutral model has it, of what a message or its last delta says. */
export function parseFinish(said: JsonObject): Finish {
  const native = stringOf(said, 'stop_reason') ?? ''
  const stopSequence = stringOf(said, 'stop_sequence')
  return {
    reason: REASONS[native] ?? 'unknown',
    native,
    ...(stopSequence !== undefined && { stopSequence }),
    ...(said.stop_details !== undefined &&
      said.stop_details !== null && { detail: said.stop_details }),
  }
}

/** `stop_reason` and what goes with it; a reason unknown here is passed as its provider spelled it. */
export function renderFinish({ reason, native, stopSequence }: Finish): JsonObject {
  return {
    stop_reason: STOP_REASONS[reason] ?? (native || 'end_turn'),
    stop_sequence: stopSequence ?? null,
  }
}

/** Reads a whole message; throws `upstream_malformed`, and `upstream_refused` where it is an error. */
export function parseChatAnswer(json: JsonValue): Answer {
  const message = asObject(json)
  if (message?.type === 'error') throw toStreamError(message, JSON.stringify(message))
  if (message === undefined || !Array.isArray(message.content))
    throw new GatewayError('upstream_malformed', 'the provider answered 200 with no message')
  return {
    id: stringOf(message, 'id'),
    model: stringOf(message, 'model'),
    choices: [
      {
        parts: message.content.flatMap((block) =>
          isRecord(block) ? [parseBlock(block, 'content')] : []
        ),
        finish: parseFinish(message),
      },
    ],
    usage: parseUsage(message.usage),
    source: ownSource(message),
  }
}

/** Writes a message; of several choices the first. */
export function renderChatAnswer(
  answer: Answer,
  context: AnswerContext,
  losses: Losses
): JsonObject {
  const own = ownObject(answer.source)
  if (own) return own
  const [first, ...others] = answer.choices
  others.forEach((_, index) => losses.drop(`choices.${index + 1}`))
  if (first?.logprobs) losses.drop('choices.0.logprobs')
  return {
    id: messageId(answer.id, context),
    type: 'message',
    role: 'assistant',
    model: answer.model ?? context.model,
    content: first ? renderContent(first, losses) : [],
    ...renderFinish(first?.finish ?? { reason: 'unknown', native: '' }),
    usage: renderUsage(answer.usage),
  }
}

export function messageId(id: string | undefined, { requestId }: AnswerContext): string {
  return id ?? `msg_${requestId.replaceAll('-', '')}`
}

function renderContent({ parts }: Choice, losses: Losses): JsonObject[] {
  return parts.flatMap((part, index) => {
    const block = renderAnswerPart(part, `content.${index}`, losses)
    return block === undefined ? [] : [block]
  })
}

/** One part of an answer as a block; `undefined` for what can't be one, which is reported. */
export function renderAnswerPart(part: Part, path: string, losses: Losses): JsonObject | undefined {
  const own = ownObject(part.source)
  if (own) return own
  switch (part.type) {
    case 'text': {
      const citations: JsonObject[] = []
      for (const citation of part.citations ?? []) {
        const rendered = renderCitation(citation)
        if (rendered) citations.push(rendered)
      }
      if (citations.length < (part.citations?.length ?? 0)) losses.drop(`${path}.citations`)
      return { type: 'text', text: part.text, citations: citations.length > 0 ? citations : null }
    }
    case 'refusal':
      return { type: 'text', text: part.text, citations: null }
    case 'reasoning':
      if (part.encrypted?.maker === 'anthropic')
        return { type: 'redacted_thinking', data: part.encrypted.value }
      if (part.encrypted) losses.drop(`${path}.encrypted_content`)
      return {
        type: 'thinking',
        thinking: part.text,
        signature: part.signature?.maker === 'anthropic' ? part.signature.value : '',
      }
    case 'tool_call':
      return {
        type: 'tool_use',
        id: toLegalId(part.id),
        name: toLegalName(part.name),
        input: renderInput(part, path, losses),
      }
    default:
      losses.drop(path)
      return undefined
  }
}

/** Citations by address are what other formats have too. */
export function renderCitation(citation: Citation): JsonObject | undefined {
  const own = ownObject(citation.source)
  if (own) return own
  const { url, title, citedText } = citation
  if (url === undefined) return undefined
  return {
    type: 'web_search_result_location',
    url,
    title: title ?? null,
    cited_text: citedText ?? '',
    encrypted_index: '',
  }
}
