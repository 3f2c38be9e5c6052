import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../../errors/gateway-error'
import type { Answer, Choice } from '../answer'
import type { Part, ReasoningPart } from '../generation'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { NO_USAGE } from '../usage'
import { toContext } from './fixtures/streams'
import { openaiResponses } from './responses'

const { chat } = openaiResponses

const RESPONSE: JsonObject = {
  object: 'response',
  id: 'resp_1',
  status: 'completed',
  created_at: 1_700_000_000,
  model: 'm-1',
  service_tier: 'default',
  unknown: { a: 1 },
  output: [
    { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'gAAA' },
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [
        { type: 'output_text', text: 'secret', annotations: [], logprobs: [], more: 1 },
        { type: 'refusal', refusal: 'No' },
      ],
    },
    { id: 'ig_1', type: 'image_generation_call', result: 'aa', output_format: 'webp' },
  ],
  usage: {
    input_tokens: 9,
    input_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 3 },
    total_tokens: 14,
  },
}

function render(answer: Answer, body?: JsonObject) {
  const losses = new Losses()
  const rendered = chat.renderChatAnswer(answer, toContext(body), losses)
  return { rendered, losses: losses.list.map(({ field, kind }) => `${field} ${kind}`) }
}

const choice = (...parts: Part[]): Choice => ({
  parts,
  finish: { reason: 'stop', native: 'stop' },
})

describe('parseChatAnswer', () => {
  test('reads what a response says', () => {
    expect(chat.parseChatAnswer(RESPONSE)).toMatchObject({
      id: 'resp_1',
      model: 'm-1',
      createdAt: 1_700_000_000,
      serviceTier: 'default',
      usage: {
        inputTokens: 9,
        outputTokens: 5,
        cacheReadTokens: 4,
        cacheWriteTokens: 2,
        reasoningTokens: 3,
      },
      choices: [
        {
          finish: { reason: 'stop', native: 'completed' },
          parts: [
            { type: 'reasoning', id: 'rs_1', encrypted: { maker: 'openai', value: 'gAAA' } },
            { type: 'text', text: 'secret' },
            { type: 'refusal', text: 'No' },
            { type: 'media', media: 'image', data: { base64: 'aa' }, mimeType: 'image/webp' },
          ],
        },
      ],
    })
  })

  test.each([
    [
      { status: 'failed', output: [], error: { code: 'server_error', message: 'no' } },
      'upstream_refused',
    ],
    [{ error: { message: 'no' } }, 'upstream_refused'],
    [{ object: 'response' }, 'upstream_malformed'],
    [{ output: ['x'] }, 'upstream_malformed'],
    ['x', 'upstream_malformed'],
  ])('raises %j', (json, code) => {
    let caught: unknown
    try {
      chat.parseChatAnswer(json)
    } catch (error) {
      caught = error
    }
    expect<string>(GatewayError.from(caught).code).toBe(code)
  })

  test('does not take an answer that is still made for one that stopped', () => {
    const { choices } = chat.parseChatAnswer({ status: 'queued', output: [] })
    expect(choices[0]?.finish).toEqual({ reason: 'unknown', native: 'queued' })
  })
})

describe('renderChatAnswer', () => {
  test('gives an answer of this format back as it was', () => {
    const { rendered, losses } = render(chat.parseChatAnswer(RESPONSE))
    expect(JSON.stringify(rendered)).toBe(JSON.stringify(RESPONSE))
    expect(losses).toEqual([])
  })

  test('has what was edited, and all else as it was', () => {
    const answer = chat.parseChatAnswer(RESPONSE)
    answer.choices[0]?.parts.splice(1, 1, { type: 'text', text: '***' })
    const { rendered } = render(answer)
    expect(Object.keys(rendered)).toEqual(Object.keys(RESPONSE))
    expect(rendered.unknown).toEqual({ a: 1 })
    expect(rendered.output).toMatchObject([
      { id: 'rs_1' },
      { type: 'message', content: [{ type: 'output_text', text: '***' }] },
      { type: 'message', content: [{ type: 'refusal', refusal: 'No' }] },
      { id: 'ig_1' },
    ])
    expect(JSON.stringify(rendered)).not.toContain('secret')
  })

  test('tells the client what it asked for', () => {
    const asked = {
      model: 'fast',
      input: 'Hi',
      instructions: 'Be kind',
      tools: [{ type: 'web_search' }],
      tool_choice: 'required',
      temperature: 0.5,
      metadata: { a: 'b' },
      max_output_tokens: 99,
      text: { verbosity: 'low' },
      reasoning: { effort: 'high' },
      store: true,
    }
    const { rendered } = render({ choices: [choice({ type: 'text', text: 'Hi' })] }, asked)
    const { input: _, store: __, model, ...told } = asked
    expect(rendered).toMatchObject({
      ...told,
      id: 'resp_0199-abc',
      object: 'response',
      model,
      status: 'completed',
      store: true,
      text: { format: { type: 'text' }, verbosity: 'low' },
      reasoning: { effort: 'high', summary: null },
      error: null,
      parallel_tool_calls: true,
      top_p: null,
    })
  })

  test('counts as clients of this format do', () => {
    const usage = {
      ...NO_USAGE,
      inputTokens: 9,
      outputTokens: 5,
      cacheWriteTokens: 2,
      audioOutputTokens: 1,
    }
    const { rendered, losses } = render({ choices: [choice()], usage })
    expect(rendered.usage).toEqual({
      input_tokens: 9,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 2 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 14,
    })
    expect(losses).toEqual(['usage.audio_output_tokens dropped'])
  })

  test('says one of several choices', () => {
    const choices = ['a', 'b'].map((text) => choice({ type: 'text', text }))
    const { rendered, losses } = render({ choices })
    expect(rendered.output).toMatchObject([{ content: [{ text: 'a' }] }])
    expect(losses).toEqual(['choices.1 dropped'])
  })
})

describe('the state of other makers', () => {
  const signature = { maker: 'anthropic', value: 'sig' } as const
  const PARTS: [ReasoningPart][] = [
    [{ type: 'reasoning', text: 'Thought', signature }],
    [{ type: 'reasoning', text: 'Thought', isSummary: true, signature }],
    [{ type: 'reasoning', text: '', encrypted: { maker: 'anthropic', value: 'redacted' } }],
    [{ type: 'reasoning', text: '', encrypted: { maker: 'openai', value: 'x' }, id: 'rs_theirs' }],
    [{ type: 'reasoning', text: 'T', signature: { maker: 'google', value: 'g' } }],
  ]

  /** What a client sends back of an answer. */
  function sendBack(part: ReasoningPart, forget: (item: JsonObject) => JsonObject) {
    const { rendered } = render({ choices: [choice(part)] })
    const items = Array.isArray(rendered.output) ? rendered.output : []
    const input = items.map((item) => forget({ ...Object(item) }))
    return chat.parseGeneration({ model: 'm', input }, {}).messages[0]?.parts
  }

  test.each(PARTS)('comes back with %j', (part) => {
    expect(sendBack(part, (item) => item)).toMatchObject([part])
  })

  test.each(PARTS)('comes back through a client that keeps summaries alone with %j', (part) => {
    const forget = ({ type, summary, encrypted_content }: JsonObject) => ({
      type,
      summary,
      encrypted_content,
    })
    expect(sendBack(part, forget)).toMatchObject([part])
  })

  test('is OpenAI’s where nobody packed it', () => {
    const items = ['gAAA', 'tollgate1.!', 'tollgate1.W10'].map((encrypted_content) => ({
      type: 'reasoning',
      summary: [],
      encrypted_content,
    }))
    const [turn] = chat.parseGeneration({ model: 'm', input: items }, {}).messages
    expect(turn?.parts).toMatchObject(
      items.map(({ encrypted_content: value }) => ({ encrypted: { maker: 'openai', value } }))
    )
  })
})
