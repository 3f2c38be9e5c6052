import { describe, expect, test } from 'bun:test'
import type { Answer, Finish } from '../answer'
import type { Part } from '../generation'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { openaiChatHalves } from './chat-halves'
import { contextOf } from './fixtures/chat'

const { parseChatAnswer, renderChatAnswer } = openaiChatHalves

function write(answer: Partial<Answer>, members?: JsonObject) {
  const losses = new Losses()
  const body = renderChatAnswer({ choices: [], ...answer }, contextOf(members), losses)
  return { body, losses: losses.list.map(({ field, kind }) => `${field} ${kind}`) }
}

const STOP: Finish = { reason: 'stop', native: 'end_turn' }
const say = (...parts: Part[]) => write({ choices: [{ parts, finish: STOP }] })
const source = { protocol: 'anthropic-messages', json: {} } as const

describe('an answer of another format', () => {
  test('is written as this one', () => {
    const usage = {
      inputTokens: 10,
      outputTokens: 4,
      cacheReadTokens: 3,
      cacheWriteTokens: 2,
      reasoningTokens: 1,
      audioInputTokens: undefined,
      audioOutputTokens: undefined,
    }
    const call: Part = {
      type: 'tool_call',
      id: 'c',
      name: 'f',
      arguments: '',
      signature: { maker: 'google', value: 's' },
    }
    const finish: Finish = { reason: 'tool_calls', native: 'tool_use' }
    const logprobs = [{ token: 'h', logprob: -1, top: [{ token: 'i', logprob: -2, bytes: [105] }] }]
    const parts: Part[] = [{ type: 'text', text: 'hi' }, call]
    const { body, losses } = write({
      id: 'msg_1',
      model: 'claude',
      createdAt: 3,
      usage,
      serviceTier: 'flex',
      choices: [{ parts, finish, logprobs }],
    })
    expect(losses).toEqual([])
    expect(body).toEqual({
      id: 'msg_1',
      object: 'chat.completion',
      created: 3,
      model: 'claude',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'hi',
            refusal: null,
            tool_calls: [
              {
                id: 'c',
                type: 'function',
                function: { name: 'f', arguments: '{}' },
                extra_content: { google: { thought_signature: 's' } },
              },
            ],
          },
          logprobs: {
            content: [
              {
                token: 'h',
                logprob: -1,
                bytes: null,
                top_logprobs: [{ token: 'i', logprob: -2, bytes: [105] }],
              },
            ],
            refusal: null,
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 4,
        total_tokens: 14,
        prompt_tokens_details: { cached_tokens: 3, cache_write_tokens: 2 },
        completion_tokens_details: { reasoning_tokens: 1 },
      },
      service_tier: 'flex',
    })
    expect(parseChatAnswer(body)).toMatchObject({
      usage,
      choices: [{ parts: [parts[0] ?? {}, { ...call, arguments: '{}' }] }],
    })
  })

  test('has an id, time and model of ours where its own are missing, and no made-up usage', () => {
    expect(say().body).toMatchObject({
      id: 'chatcmpl-r1',
      created: 7,
      model: 'asked',
      choices: [{ message: { content: '' } }],
    })
    expect(say().body).not.toHaveProperty('usage')
  })

  test('keeps reasoning, whole and encrypted', () => {
    const parts: Part[] = [
      { type: 'reasoning', text: 'a' },
      { type: 'reasoning', text: '', encrypted: { maker: 'anthropic', value: 'e' } },
      { type: 'reasoning', text: 'b', signature: { maker: 'anthropic', value: 's' } },
    ]
    const { body, losses } = say(...parts)
    expect(losses).toEqual([])
    expect(body).toMatchObject({
      choices: [{ message: { content: null, reasoning_content: 'ab' } }],
    })
    expect(parseChatAnswer(body).choices[0]?.parts).toMatchObject(parts)
  })

  test('tells sources as annotations of the whole content', () => {
    const { body, losses } = say(
      { type: 'text', text: 'ab' },
      {
        type: 'text',
        text: 'cde',
        citations: [
          { url: 'u', citedText: 'q', source },
          { url: 'v', title: 't', startIndex: 1, endIndex: 2, source },
          { documentIndex: 0, source },
        ],
      }
    )
    expect(body).toMatchObject({
      choices: [
        {
          message: {
            content: 'abcde',
            annotations: [
              {
                type: 'url_citation',
                url_citation: { start_index: 2, end_index: 5, url: 'u', title: '', content: 'q' },
              },
              {
                type: 'url_citation',
                url_citation: { start_index: 3, end_index: 4, url: 'v', title: 't' },
              },
            ],
          },
        },
      ],
    })
    expect(losses).toEqual([
      'choices.0.message.content.1.citations rewritten',
      'choices.0.message.content.1.citations dropped',
      'choices.0.message.content rewritten',
    ])
  })

  test('shows images and lets the sound be heard', () => {
    const { body, losses } = say(
      { type: 'media', media: 'audio', data: { base64: 'AA' }, transcript: 'said' },
      { type: 'media', media: 'image', data: { base64: 'BB' }, mimeType: 'image/webp' },
      { type: 'media', media: 'video', data: { url: 'u' } }
    )
    expect(body).toMatchObject({
      choices: [
        {
          message: {
            content: null,
            audio: { id: 'audio_chatcmpl-r1', data: 'AA', transcript: 'said', expires_at: 7 },
            images: [{ type: 'image_url', image_url: { url: 'data:image/webp;base64,BB' } }],
          },
        },
      ],
    })
    expect(losses).toEqual(['choices.0.message.content.2 dropped'])
  })

  test.each<[Finish, JsonObject, string[]]>([
    [{ reason: 'stop', native: 'end_turn' }, { finish_reason: 'stop' }, []],
    [
      { reason: 'stop_sequence', native: 'stop_sequence', stopSequence: '#' },
      { finish_reason: 'stop', native_finish_reason: 'stop_sequence', stop_reason: '#' },
      [],
    ],
    [{ reason: 'length', native: 'max_tokens' }, { finish_reason: 'length' }, []],
    [
      { reason: 'context_window', native: 'model_context_window_exceeded' },
      { finish_reason: 'length', native_finish_reason: 'model_context_window_exceeded' },
      [],
    ],
    [
      { reason: 'content_filter', native: 'SAFETY' },
      { finish_reason: 'content_filter', native_finish_reason: 'SAFETY' },
      [],
    ],
    [
      { reason: 'refusal', native: 'refusal' },
      { finish_reason: 'content_filter', native_finish_reason: 'refusal' },
      [],
    ],
    [
      { reason: 'refusal', native: 'completed' },
      { finish_reason: 'content_filter', native_finish_reason: 'completed' },
      ['choices.0.finish_reason rewritten'],
    ],
    [{ reason: 'pause', native: 'pause_turn' }, { finish_reason: 'pause_turn' }, []],
    [{ reason: 'unknown', native: 'novel' }, { finish_reason: 'novel' }, []],
    [{ reason: 'unknown', native: '' }, { finish_reason: 'unknown' }, []],
  ])('ended by %j', (finish, expected, reported) => {
    const { body, losses } = write({ choices: [{ parts: [], finish }] })
    const message = { role: 'assistant', content: '', refusal: null }
    expect(body.choices).toEqual([{ index: 0, message, logprobs: null, ...expected }])
    expect(losses).toEqual(reported)
    if (reported.length === 0 && finish.native !== '')
      expect(parseChatAnswer(body).choices[0]?.finish.reason).toBe(finish.reason)
  })

  test('says why it was refused', () => {
    const finish: Finish = {
      reason: 'refusal',
      native: 'refusal',
      detail: { explanation: 'because' },
    }
    const { body, losses } = write({ choices: [{ parts: [], finish }] })
    expect(body).toMatchObject({ choices: [{ message: { content: null, refusal: 'because' } }] })
    expect(losses).toEqual(['choices.0.finish_reason rewritten'])
  })

  test('answers a client of functions with a function call', () => {
    const call = (id: string): Part => ({ type: 'tool_call', id, name: 'f', arguments: '{}' })
    const choices = [
      {
        parts: [call('a'), call('b')],
        finish: { reason: 'tool_calls', native: 'tool_use' } as const,
      },
    ]
    const { body, losses } = write({ choices }, { functions: [{ name: 'f' }] })
    expect(body).toMatchObject({
      choices: [
        {
          message: { content: null, function_call: { name: 'f', arguments: '{}' } },
          finish_reason: 'function_call',
        },
      ],
    })
    expect(losses).toEqual(['choices.0.message.tool_calls dropped'])
  })

  test('drops what only its own format knows, and says so', () => {
    const native: Part = { type: 'native', name: 'web_search_tool_result', source }
    const { body, losses } = say(native, {
      type: 'text',
      text: 'x',
      signature: { maker: 'google', value: 's' },
    })
    expect(body).toMatchObject({ choices: [{ message: { content: 'x' } }] })
    expect(losses).toEqual([
      'choices.0.message.content.0 dropped',
      'choices.0.message.content.1.signature dropped',
    ])
  })
})
