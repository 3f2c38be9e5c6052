import { describe, expect, test } from 'bun:test'
import { GatewayError } from '../errors/gateway-error'
import { anthropicMessages } from '../protocols/messages/messages'
import { gemini } from '../protocols/gemini/gemini'
import { openaiChat } from '../protocols/openai/openai'
import type { Protocol } from '../protocols/protocol'
import { classifyFailure } from '../routing/health/classify-failure'
import { type CredentialFault, faultOf } from './credential-fault'

function faultIn(
  { upstream }: Protocol,
  status: number,
  body: unknown,
  headers: Record<string, string> = {}
) {
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  return read(upstream.parseError('host', { status, headers, body: bytes }), status)
}

function read(error: GatewayError, status: number | undefined) {
  return faultOf(error, classifyFailure(error, Date.now()), status)
}

const error = (message: string, more: Record<string, unknown> = {}) => ({
  error: { message, type: 'some_error', ...more },
})

describe('what a failure says of its credential', () => {
  test.each<[string, Protocol, number, unknown, CredentialFault['kind'] | undefined]>([
    ['a wrong key', openaiChat, 401, error('Incorrect API key'), 'refused'],
    ['one that Google does not know', gemini, 400, unknownToGoogle(), 'refused'],
    ['no right', openaiChat, 403, error('no access'), 'forbidden'],
    ['no credit', openaiChat, 429, error('quota', { code: 'insufficient_quota' }), 'used_up'],
    ['no balance', openaiChat, 402, error('Insufficient Balance'), 'unpaid'],
    ['no credit at Anthropic', anthropicMessages, 400, lowCredit('Your credit'), 'unpaid'],
    ['its words repeated', anthropicMessages, 400, lowCredit("bad value: 'Your credit"), undefined],
    ['less credit than asked for', openaiChat, 402, error('fewer max_tokens'), 'throttled'],
    ['a wrong request', openaiChat, 400, error('insufficient_quota'), undefined],
    ['an overloaded host', anthropicMessages, 529, error('Overloaded'), undefined],
    ['a broken host', openaiChat, 500, error('oops'), undefined],
  ])('%s', (_, protocol, status, body, kind) => {
    expect(faultIn(protocol, status, body)?.kind).toBe(kind)
  })

  test.each<[string, Record<string, string>, number | undefined]>([
    ['in seconds', { 'retry-after': '20' }, 20_000],
    ['in milliseconds', { 'retry-after': '1', 'retry-after-ms': '350' }, 350],
    ['not at all', {}, undefined],
    ['in no words of ours', { 'retry-after': 'soon' }, undefined],
    ['as a time that is over', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, 0],
  ])('a rate that is used up, with its end %s', (_, headers, retryAfterMs) => {
    const fault = faultIn(openaiChat, 429, error('slow down'), headers)
    expect(fault).toEqual({ kind: 'throttled', retryAfterMs })
  })

  test("a rate of Google's, whose end stands in the body", () => {
    const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.4s' }
    const body = { error: { code: 429, message: 'slow', details: [retry] } }
    expect(faultIn(gemini, 429, body)).toEqual({ kind: 'throttled', retryAfterMs: 34_400 })
  })

  test('a token that could not be had', () => {
    const unobtainable = new GatewayError('upstream_unauthorized', 'no token')
    expect(read(unobtainable, undefined)).toEqual({ kind: 'unobtainable' })
  })

  test('nothing, where it was not asked', () => {
    expect(read(new GatewayError('lossy_translation', 'x'), undefined)).toBeUndefined()
    expect(read(new GatewayError('upstream_unreachable', 'x'), undefined)).toBeUndefined()
  })
})

function lowCredit(begin: string) {
  const message = `${begin} balance is too low to access the API.`
  return { type: 'error', error: { type: 'invalid_request_error', message } }
}

function unknownToGoogle() {
  const message = 'API key not valid. Please pass a valid API key.'
  return { error: { code: 400, message, status: 'INVALID_ARGUMENT' } }
}
