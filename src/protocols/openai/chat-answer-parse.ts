import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { countOf, stringOf } from '../../std/record'
import type { Answer, Choice, TokenLogprob } from '../answer'
import type { Citation, Part } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { asList, asObject, ownSource } from './chat-json'
import { parseAssistant } from './chat-parts'
import { parseFinish } from './chat-finish'
import { toErrorInAnswer } from './errors'
import { toUsage } from './usage'

/**
 * Reads a whole chat completion. Throws `upstream_refused` for an error in its place and
 * `upstream_malformed` for what is none, or has no choice.
 * https://platform.openai.com/docs/api-reference/chat/object
 */
export function parseChatAnswer(json: JsonValue): Answer {
  const body = asObject(json)
  if (body?.error) throw toErrorInAnswer(body, JSON.stringify(body))
  const listed = asList(body?.choices)
  if (body === undefined || listed.length === 0) throw malformed(json)
  const choices = listed.map((choice, index) => parseChoice(choice, index, body))
  return { ...parseHead(body), choices, usage: toUsage(body.usage), source: ownSource(body) }
}

/** What an answer and each of its frames say of the answer; empty texts and a time of 0 say nothing. */
export function parseHead(
  body: JsonObject
): Pick<Answer, 'id' | 'model' | 'createdAt' | 'serviceTier'> {
  return {
    id: stringOf(body, 'id') || undefined,
    model: stringOf(body, 'model') || undefined,
    createdAt: countOf(body, 'created') || undefined,
    serviceTier: stringOf(body, 'service_tier'),
  }
}

function parseChoice(json: JsonValue, index: number, body: JsonObject): Choice {
  const choice = asObject(json)
  const message = asObject(choice?.message)
  if (choice === undefined || message === undefined) throw malformed(json)
  const makeId = (call: number) => madeCallId(stringOf(body, 'id'), index, call)
  const parts = parseAssistant(message, { makeId, isAnswer: true })
  citeSources(parts, parseSources(body))
  const hasCalls = parts.some((part) => part.type === 'tool_call')
  const logprobs = parseLogprobs(choice)
  return {
    parts,
    finish: parseFinish(choice, hasCalls) ?? { reason: 'unknown', native: '' },
    ...(logprobs.length > 0 && { logprobs }),
  }
}

/** The id of a call that the host gave none: the same whole and streamed, and another in each answer. */
export function madeCallId(answerId: string | undefined, choice: number, call: number): string {
  const answer = (answerId ?? '').replaceAll(/[^A-Za-z0-9]/g, '').slice(-24)
  return `call_${answer}${choice}${call}`
}

/**
 * Perplexity's sources, which stand beside the choices: `search_results` with titles, or `citations`, URLs
 * alone. https://docs.perplexity.ai/api-reference/chat-completions-post
 */
export function parseSources(body: JsonObject): Citation[] {
  const results = asList(body.search_results)
  return (results.length > 0 ? results : asList(body.citations)).flatMap((json) => {
    const url = typeof json === 'string' ? json : stringOf(json, 'url')
    return url === undefined
      ? []
      : [{ url, title: stringOf(json, 'title'), source: ownSource(json) }]
  })
}

function citeSources(parts: readonly Part[], sources: Citation[]): void {
  const text = parts.find((part) => part.type === 'text')
  if (text && text.citations === undefined && sources.length > 0) text.citations = sources
}

/** The log probabilities of a choice's content, of an answer or frame; those of its refusal are left. */
export function parseLogprobs(choice: JsonObject): TokenLogprob[] {
  return asList(asObject(choice.logprobs)?.content).flatMap((json) => {
    const token = parseToken(json)
    if (token === undefined) return []
    const top = asList(asObject(json)?.top_logprobs).flatMap((other) => parseToken(other) ?? [])
    return [{ ...token, top }]
  })
}

function parseToken(json: JsonValue): Omit<TokenLogprob, 'top'> | undefined {
  const entry = asObject(json)
  const token = stringOf(entry, 'token')
  if (token === undefined || typeof entry?.logprob !== 'number') return undefined
  const { logprob, bytes } = entry
  if (!Array.isArray(bytes)) return { token, logprob }
  return { token, logprob, bytes: bytes.filter((byte) => typeof byte === 'number') }
}

function malformed(json: JsonValue): GatewayError {
  return new GatewayError(
    'upstream_malformed',
    `the provider answered 200 with what is not an answer: ${excerpt(JSON.stringify(json) ?? '', 200)}`
  )
}
