import { GatewayError } from '../errors/gateway-error'
import type { Envelope } from './envelope'
import type { JsonObject, JsonValue } from './json'
import { parseJsonAnswer } from './json-answer'
import type { Losses } from './losses'
import type { AnswerFacts, Conversion } from './protocol'
import type { Usage } from './usage'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** How one format says an operation that is no chat: its requests and answers, from and to a neutral model. */
export type OperationCodec<Request, Answer extends { readonly usage: Usage | undefined }> = {
  /** Throws `invalid_request` for what could mean something only to the format's own hosts. */
  parseRequest(body: JsonObject, losses: Losses): Request
  renderRequest(request: Request, model: string, losses: Losses): JsonObject
  /** Throws `upstream_malformed`. */
  parseAnswer(answer: JsonValue): Answer
  renderAnswer(answer: Answer, context: AnswerContext<Request>): JsonObject
}

export type AnswerContext<Request> = {
  /** As the upstream calls it. */
  readonly model: string
  readonly request: Request
}

/** A request of one format for an upstream of another. */
export function createConversion<Request, Answer extends { readonly usage: Usage | undefined }>(
  client: OperationCodec<Request, Answer>,
  upstream: OperationCodec<Request, Answer>,
  envelope: Envelope
): Conversion {
  let context: AnswerContext<Request> | undefined
  return {
    renderRequest(model, losses) {
      const request = client.parseRequest(readBody(envelope.body), losses)
      context = { model, request }
      return encoder.encode(JSON.stringify(upstream.renderRequest(request, model, losses)))
    },
    renderAnswer(body) {
      if (context === undefined) throw new Error('the request was not told before its answer')
      const answer = upstream.parseAnswer(parseJsonAnswer(body))
      const facts: AnswerFacts = { usage: answer.usage, finishReasons: [] }
      const rendered = JSON.stringify(client.renderAnswer(answer, context))
      return { body: encoder.encode(rendered), facts }
    },
  }
}

/** Its scan found it to be JSON. */
function readBody(body: Uint8Array): JsonObject {
  const value: JsonValue = JSON.parse(decoder.decode(body))
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new GatewayError('invalid_json', 'the body is not a JSON object')
}

/** The answer as an object; throws `upstream_malformed` where it is none. */
export function asAnswer(answer: JsonValue): JsonObject {
  if (typeof answer === 'object' && answer !== null && !Array.isArray(answer)) return answer
  throw malformed('no object')
}

/** What an answer should have been. */
export function malformed(what: string): GatewayError {
  return new GatewayError('upstream_malformed', `the provider answered 200 with ${what}`)
}

/** Tells of members that have no place in the other format. */
export function dropRest(rest: JsonObject, losses: Losses): void {
  for (const [name, value] of Object.entries(rest))
    if (value !== undefined && value !== null) losses.drop(name)
}

/** A whole number that a request says; throws `invalid_request` for anything else. */
export function readCount(value: JsonValue | undefined, param: string): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  throw new GatewayError('invalid_request', `'${param}' must be a whole number above 0`, { param })
}

/** The same error everywhere for what only the format's own provider could read. */
export function onlyAtHome(param: string, what: string): GatewayError {
  return new GatewayError(
    'invalid_request',
    `'${param}' ${what}, which only a provider of this very API could read: name one of its models`,
    { param }
  )
}
