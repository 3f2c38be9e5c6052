import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, recordOf, stringOf } from '../../std/record'
import type { Answer, Finish } from '../answer'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import type { AnswerFacts } from '../protocol'
import { asObject, defined, ownObject, ownSource, parseJson } from './converse-json'
import { parseFinish, renderStopReason } from './finish'
import { parseBlocks } from './parts'
import { renderAnswerBlocks } from './render-parts'
import { renderUsage, toUsage } from './usage'

/**
 * Whole answers: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseResponse.html
 */

const decoder = new TextDecoder()

/** Reads what an answer that passes says of itself. Throws `upstream_malformed` for what is none. */
export function parseConverseAnswer(body: Uint8Array): AnswerFacts {
  const text = decoder.decode(body)
  const answer = asObject(parseJson(text))
  if (!isAnswer(answer)) throw malformed(text)
  return {
    usage: toUsage(answer.usage),
    finishReasons: [stringOf(answer, 'stopReason') ?? 'unknown'],
  }
}

function isAnswer(answer: JsonObject | undefined): answer is JsonObject {
  return isRecord(answer?.output) || typeof answer?.stopReason === 'string'
}

function malformed(text: string): GatewayError {
  return new GatewayError(
    'upstream_malformed',
    text.trim() === ''
      ? 'the provider answered 200 with an empty body'
      : `the provider answered 200 with what is not an answer: ${excerpt(text, 200)}`
  )
}

/**
 * Reads a whole answer into the neutral model. Throws `upstream_malformed` for what is none, and `upstream_refused`
 * where its stop reason tells of a failure of the model.
 */
export function parseChatAnswer(json: JsonValue): Answer {
  const answer = asObject(json)
  if (!isAnswer(answer)) throw malformed(JSON.stringify(json) ?? '')
  const message = recordOf(answer.output, 'message')
  const parts = parseBlocks(asObject(asObject(answer.output)?.message)?.content)
  const stopReason = stringOf(answer, 'stopReason')
  if (message === undefined && stopReason === undefined) throw malformed(JSON.stringify(json))
  const finish = parseFinish(stopReason ?? '', answer.additionalModelResponseFields)
  const serviceTier = stringOf(answer.serviceTier, 'type')
  const usage = toUsage(answer.usage)
  return {
    choices: [{ parts, finish }],
    ...(usage && { usage }),
    ...(serviceTier !== undefined && { serviceTier }),
    source: ownSource(json),
  }
}

/** Writes an answer for a client of Converse; one that came in this format keeps its members and their order. */
export function renderChatAnswer(answer: Answer, losses: Losses): JsonObject {
  const [choice] = answer.choices
  for (const index of answer.choices.keys()) if (index > 0) losses.drop(`choices.${index}`)
  if (choice?.logprobs) losses.drop('logprobs')
  const content = (choice?.parts ?? []).flatMap((part, index) => {
    const path = `content.${index}`
    const own = part.source?.protocol === 'bedrock-converse' ? part.source.json : undefined
    // The list of a block and its cache point, which an answer may repeat.
    return Array.isArray(own) ? own : renderAnswerBlocks(part, path, losses)
  })
  const template = ownObject(answer.source)
  if (template) return fillTemplate(template, content)
  const finish: Finish = choice?.finish ?? { reason: 'unknown', native: '' }
  return defined({
    output: { message: { role: 'assistant', content } },
    stopReason: renderStopReason(finish, losses),
    usage: answer.usage && renderUsage(answer.usage, losses),
    metrics: renderMetrics(losses),
    additionalModelResponseFields: renderFields(finish),
    serviceTier: renderTier(answer.serviceTier),
  })
}

function fillTemplate(template: JsonObject, content: JsonValue[]): JsonObject {
  const output = asObject(template.output)
  const message = asObject(output?.message)
  return message === undefined
    ? template
    : { ...template, output: { ...output, message: { ...message, content } } }
}

/** Clients read the model's time without asking whether it is there; nobody has measured it for them. */
export function renderMetrics(losses: Losses): JsonObject {
  losses.estimate('metrics.latencyMs')
  return { latencyMs: 0 }
}

/** The stop sequence that was met, where Bedrock has it when it is asked for. */
export function renderFields({ stopSequence }: Finish): JsonObject | undefined {
  return stopSequence === undefined ? undefined : { stop_sequence: stopSequence }
}

/** The tier that served the request, in the words of whoever served it. */
export function renderTier(serviceTier: string | undefined): JsonObject | undefined {
  return serviceTier === undefined ? undefined : { type: serviceTier }
}
