import { GatewayError } from '../../errors/gateway-error'
import { stringOf } from '../../std/record'
import type { Answer, Choice, Finish, FinishReason } from '../answer'
import type { AnswerContext } from '../chat-protocol'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { toAnswerError } from './errors'
import { parseParts } from './generation-parse'
import { renderCall, renderImage } from './generation-render'
import { parseLogprobs, renderLogprobs } from './logprobs'
import { asObject, ownObject, ownSource } from './own'
import { parseUsage, renderUsage } from './usage'

const REASONS: Readonly<Record<string, FinishReason>> = { stop: 'stop', length: 'length' }

const DONE_REASONS: Readonly<Partial<Record<FinishReason, string>>> = {
  stop: 'stop',
  stop_sequence: 'stop',
  tool_calls: 'stop',
  length: 'length',
  context_window: 'length',
}

/** Why an answer ended. Calls end with `stop`, or no word at all in older versions, so what was called says more. */
export function parseFinish(last: JsonObject, hasCalls: boolean): Finish {
  const native = stringOf(last, 'done_reason') ?? ''
  if (hasCalls && (native === 'stop' || native === '')) return { reason: 'tool_calls', native }
  return { reason: REASONS[native] ?? 'unknown', native }
}

/** A reason that is unknown here is passed as its provider spelled it. */
export function renderDoneReason({ reason, native }: Finish): string {
  return DONE_REASONS[reason] ?? (native || reason)
}

/** Epoch seconds of `created_at`. */
export function parseCreatedAt(answer: JsonObject): number | undefined {
  const atMs = Date.parse(stringOf(answer, 'created_at') ?? '')
  return Number.isNaN(atMs) ? undefined : Math.floor(atMs / 1_000)
}

/** Reads a whole answer; throws `upstream_malformed`, and `upstream_refused` where it is an error. */
export function parseChatAnswer(json: JsonValue): Answer {
  const answer = asObject(json)
  const error = toAnswerError(answer, JSON.stringify(json))
  if (error) throw error
  const message = asObject(answer?.message)
  if (answer === undefined || message === undefined)
    throw new GatewayError('upstream_malformed', 'the provider answered 200 with no message')
  if (answer.done !== true)
    throw new GatewayError('upstream_broken', 'the provider gave an answer that is not done')
  const parts = parseParts(message, madeCallId(answer))
  const hasCalls = parts.some(({ type }) => type === 'tool_call')
  const logprobs = parseLogprobs(answer)
  return {
    model: stringOf(answer, 'model'),
    createdAt: parseCreatedAt(answer),
    choices: [
      { parts, finish: parseFinish(answer, hasCalls), ...(logprobs.length > 0 && { logprobs }) },
    ],
    usage: parseUsage(answer),
    source: ownSource(answer),
  }
}

/** Begins the ids of calls that came without: the same for the same answer, another for others. */
export function madeCallId(answer: JsonObject): string {
  const { created_at: at, model } = answer
  return `call_${Bun.hash.xxHash64(`${String(at)} ${String(model)}`).toString(36)}`
}

/** Writes a whole answer; of several choices the first. */
export function renderChatAnswer(
  answer: Answer,
  context: AnswerContext,
  losses: Losses
): JsonObject {
  const own = ownObject(answer.source)
  if (own) return own
  const [first, ...others] = answer.choices
  others.forEach((_, index) => losses.drop(`choices.${index + 1}`))
  const finish = first?.finish ?? { reason: 'unknown', native: '' }
  return {
    ...renderHead(answer, context),
    message: first ? renderMessage(first, losses) : { role: 'assistant', content: '' },
    done: true,
    done_reason: renderDoneReason(finish),
    ...renderUsage(answer.usage),
    ...(first?.logprobs && { logprobs: renderLogprobs(first.logprobs) }),
  }
}

/** What every object of an answer begins with. */
export function renderHead(
  { model, createdAt }: Pick<Answer, 'model' | 'createdAt'>,
  context: AnswerContext
): JsonObject {
  const createdAtMs = (createdAt ?? context.createdAt) * 1_000
  return { model: model ?? context.model, created_at: new Date(createdAtMs).toISOString() }
}

function renderMessage({ parts }: Choice, losses: Losses): JsonObject {
  let content = ''
  let thinking = ''
  const images: string[] = []
  const calls: JsonObject[] = []
  parts.forEach((part, index) => {
    const path = `message.content.${index}`
    if ('citations' in part && part.citations?.length) losses.drop(`${path}.citations`)
    if ('signature' in part && part.signature) losses.drop(`${path}.signature`)
    if (part.type === 'text' || part.type === 'refusal') content += part.text
    else if (part.type === 'reasoning') {
      if (part.encrypted) losses.drop(`${path}.encrypted_content`)
      thinking += part.text
    } else if (part.type === 'tool_call') calls.push(renderCall(part, path, losses))
    else if (part.type === 'media' && part.media === 'image') {
      const image = renderImage(part, path, losses)
      if (image !== undefined) images.push(image)
    } else losses.drop(path)
  })
  return {
    role: 'assistant',
    content,
    ...(thinking !== '' && { thinking }),
    ...(images.length > 0 && { images }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}
