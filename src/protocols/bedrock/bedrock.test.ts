import { describe, expect, test } from 'bun:test'
import { accumulate } from '../accumulate'
import type { AnswerContext } from '../chat-protocol'
import type { Generation } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { Losses } from '../losses'
import type { Protocol } from '../protocol'
import type { StreamEvent } from '../stream-event'
import { NO_USAGE } from '../usage'
import { bedrockConverse, bedrockCount, bedrockInvoke } from './bedrock'
import { EventStreamEncoder, EventStreamFramer } from './event-stream'

const encoder = new EventStreamEncoder()
const encode = (json: JsonValue) => new TextEncoder().encode(JSON.stringify(json))
const MODEL = 'arn:aws:bedrock:us-east-1:000000000000:inference-profile/us.anthropic.claude-x:0'
const ENCODED =
  'arn%3Aaws%3Abedrock%3Aus-east-1%3A000000000000%3Ainference-profile%2Fus.anthropic.claude-x%3A0'

describe('an upstream of Bedrock', () => {
  test.each<[Protocol, boolean, string]>([
    [bedrockConverse, false, 'converse'],
    [bedrockConverse, true, 'converse-stream'],
    [bedrockInvoke, false, 'invoke'],
    [bedrockInvoke, true, 'invoke-with-response-stream'],
    [bedrockCount, false, 'count-tokens'],
  ])('%# is asked at its path, with the model encoded', ({ upstream }, stream, verb) => {
    const baseUrl = 'https://bedrock-runtime.us-east-1.amazonaws.com'
    expect(upstream.path({ model: MODEL, stream, baseUrl })).toBe(`/model/${ENCODED}/${verb}`)
  })

  test('takes its key as a bearer token, and the bytes of the body as they are', () => {
    const { upstream, client } = bedrockConverse
    expect(upstream.headers('key')).toEqual({ authorization: 'Bearer key' })
    expect(upstream.headers(undefined)).toEqual({})
    const body = encode({ messages: [] })
    const envelope = client.parseRequest(body, { model: 'a', stream: true })
    expect(upstream.renderRequest(envelope, { model: 'b', askForUsage: true })).toBe(body)
  })
})

/** A body of InvokeModel as Anthropic's SDK for Bedrock sends it. */
const INVOKE: JsonObject = {
  anthropic_version: 'bedrock-2023-05-31',
  anthropic_beta: ['interleaved-thinking-2025-05-14'],
  max_tokens: 100,
  system: 'Be brief.',
  messages: [{ role: 'user', content: 'hi' }],
}

const EVENTS: StreamEvent[] = [
  { type: 'start', id: 'msg_1', model: 'claude' },
  { type: 'usage', usage: { ...NO_USAGE, inputTokens: 7, cacheReadTokens: 4, outputTokens: 1 } },
  { type: 'part_start', choice: 0, index: 0, part: { type: 'text', text: '' } },
  { type: 'delta', choice: 0, index: 0, text: 'grüß ' },
  { type: 'delta', choice: 0, index: 0, text: 'dich' },
  { type: 'part_end', choice: 0, index: 0 },
  { type: 'finish', choice: 0, finish: { reason: 'stop', native: 'end_turn' } },
  { type: 'usage', usage: { ...NO_USAGE, outputTokens: 5 } },
  { type: 'end' },
]

function invokeContext(request: Generation): AnswerContext {
  return { requestId: 'r-1', createdAt: 0, model: 'claude', request }
}

describe('InvokeModel', () => {
  const { chat, client, upstream } = bedrockInvoke
  const route = { model: 'claude', stream: true }

  test("reads bodies of Anthropic's family as Messages", () => {
    const generation = chat.parseGeneration(INVOKE, route)
    expect(generation).toMatchObject({ model: 'claude', stream: true, maxTokens: 100 })
    expect(generation.messages.map(({ role }) => role)).toEqual(['system', 'user'])
    expect(generation.extras).toEqual({})
    const target = { model: 'other', stream: true }
    const { anthropic_beta: _betas, ...body } = INVOKE
    expect(chat.renderGeneration(generation, target, new Losses())).toEqual(body)
  })

  test.each<JsonObject>([{ inputText: 'hi' }, { messages: [], max_tokens: 5 }])(
    '%j reaches Bedrock alone',
    (body) => {
      expect(() => chat.parseGeneration(body, route)).toThrow(
        expect.objectContaining({ code: 'invalid_request', param: 'anthropic_version' })
      )
      expect(client.parseRequest(encode(body), route).model).toBe('claude')
    }
  )

  function write(): Uint8Array {
    const context = invokeContext(chat.parseGeneration(INVOKE, route))
    const writer = chat.createFrameWriter(context, new Losses())
    return Buffer.concat(EVENTS.map((event) => writer.write([event])))
  }

  test("streams Anthropic's events in chunks, with Bedrock's counts in the last", () => {
    const chunks = new EventStreamFramer().push(write())
    expect(new Set(chunks.map(({ event }) => event))).toEqual(new Set(['chunk']))
    const events = chunks.map(({ data = '' }) =>
      JSON.parse(Buffer.from(JSON.parse(data).bytes, 'base64').toString())
    )
    expect(events[0].type).toBe('message_start')
    expect(events.at(-1)).toEqual({
      type: 'message_stop',
      'amazon-bedrock-invocationMetrics': {
        inputTokenCount: 3,
        outputTokenCount: 5,
        cacheReadInputTokenCount: 4,
      },
    })
  })

  test.each([1, 7, 64])('a stream cut every %d bytes is read as it was written', (size) => {
    const bytes = write()
    const framer = new EventStreamFramer()
    const reader = chat.createEventReader()
    const envelope = client.parseRequest(encode(INVOKE), route)
    const changes = { model: 'x', askForUsage: false }
    const follower = upstream.createFrameReader(envelope, changes)
    const events: StreamEvent[] = []
    const meanings: string[] = []
    for (let at = 0; at < bytes.length; at += size)
      for (const { data, event } of framer.push(bytes.subarray(at, at + size))) {
        meanings.push(follower.read(data, event))
        events.push(...reader.read(data ?? '', event))
      }
    const answer = accumulate([...events, ...reader.end()])
    expect(answer.choices[0]?.parts).toMatchObject([{ type: 'text', text: 'grüß dich' }])
    expect(answer.usage).toMatchObject({ inputTokens: 7, outputTokens: 5, cacheReadTokens: 4 })
    expect([meanings[0], meanings.at(-1)]).toEqual(['preamble', 'done'])
    expect(follower.facts()).toMatchObject({
      usage: { inputTokens: 7, outputTokens: 5, cacheReadTokens: 4 },
      finishReasons: ['end_turn'],
    })
  })

  test('an exception in a stream is an error, and so is a frame without bytes', () => {
    const changes = { model: 'x', askForUsage: false }
    const follower = upstream.createFrameReader(client.parseRequest(encode(INVOKE), route), changes)
    const [frame] = new EventStreamFramer().push(
      encoder.exception('modelTimeoutException', { message: 'late' })
    )
    expect(() => follower.read(frame?.data, frame?.event)).toThrow(
      expect.objectContaining({ code: 'upstream_refused', status: 408 })
    )
    expect(() => follower.read('{"p":"ab"}', 'chunk')).toThrow(
      expect.objectContaining({ code: 'upstream_malformed' })
    )
  })

  test.each<[string, JsonObject, number, number, string[]]>([
    [
      'Anthropic',
      {
        stop_reason: 'end_turn',
        usage: { input_tokens: 3, output_tokens: 4, cache_read_input_tokens: 5 },
      },
      8,
      4,
      ['end_turn'],
    ],
    [
      'Nova',
      { stopReason: 'max_tokens', usage: { inputTokens: 3, outputTokens: 4 } },
      3,
      4,
      ['max_tokens'],
    ],
    [
      'Llama',
      { stop_reason: 'stop', prompt_token_count: 3, generation_token_count: 4 },
      3,
      4,
      ['stop'],
    ],
    [
      'Titan',
      { inputTextTokenCount: 3, results: [{ tokenCount: 4, completionReason: 'FINISH' }] },
      3,
      4,
      ['FINISH'],
    ],
    [
      'OpenAI',
      {
        choices: [{ finish_reason: 'stop' }],
        usage: { prompt_tokens: 3, completion_tokens: 4 },
      },
      3,
      4,
      ['stop'],
    ],
  ])('an answer of %s says what it took', (_family, answer, input, output, finishReasons) => {
    const facts = upstream.parseAnswer(encode(answer))
    expect(facts.finishReasons).toEqual(finishReasons)
    expect(facts.usage).toMatchObject({ inputTokens: input, outputTokens: output })
  })

  test('an answer that says nothing of it, or is none', () => {
    const facts = upstream.parseAnswer(encode({ embedding: [0.1] }))
    expect(facts).toEqual({ usage: undefined, finishReasons: [] })
    expect(() => upstream.parseAnswer(new TextEncoder().encode('<html>'))).toThrow(
      expect.objectContaining({ code: 'upstream_malformed' })
    )
  })
})

describe('counting tokens', () => {
  const { chat, client, upstream } = bedrockCount
  const route = { model: 'anthropic.claude-x' }
  const conversation: JsonObject = {
    messages: [{ role: 'user', content: [{ text: 'hi' }] }],
    system: [{ text: 'Be brief.' }],
  }

  test('asks for what is counted alone', () => {
    const body = { input: { converse: conversation } }
    expect(client.parseRequest(encode(body), route)).toMatchObject({
      operation: 'count',
      model: 'anthropic.claude-x',
    })
    const generation = { ...chat.parseGeneration(body, route), maxTokens: 5 }
    const target = { model: 'anthropic.claude-x', stream: false }
    expect(chat.renderGeneration(generation, target, new Losses())).toEqual(body)
  })

  test('also counts the body of an InvokeModel', () => {
    const body = { input: { invokeModel: { body: btoa(JSON.stringify(INVOKE)) } } }
    const { messages } = chat.parseGeneration(body, route)
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user'])
  })

  test.each<[string, JsonObject]>([
    ['input', {}],
    ['input', { input: { converse: 'hi' } }],
    ['input.invokeModel.body', { input: { invokeModel: { body: btoa('hi') } } }],
  ])('refuses %s where it is none', (param, body) => {
    expect(() => chat.parseGeneration(body, route)).toThrow(
      expect.objectContaining({ code: 'invalid_request', param })
    )
  })

  test('reads and writes the count', () => {
    const answer = chat.parseChatAnswer({ inputTokens: 42 })
    const context = invokeContext(chat.parseGeneration({ input: { converse: {} } }, route))
    expect(chat.renderChatAnswer(answer, context, new Losses())).toEqual({ inputTokens: 42 })
    expect(() => upstream.parseAnswer(encode({ inputTokens: 'many' }))).toThrow(
      expect.objectContaining({ code: 'upstream_malformed' })
    )
  })
})
