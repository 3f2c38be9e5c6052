import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  type ConverseStreamOutput,
} from '@aws-sdk/client-bedrock-runtime'
import { afterAll, expect, test } from 'bun:test'
import { GatewayError } from '../../errors/gateway-error'
import type { Answer } from '../answer'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { NO_USAGE } from '../usage'
import { renderChatAnswer } from './chat-answer'
import { errorHeaders, renderError, renderErrorFrame } from './errors'
import { ConverseFrameWriter } from './frame-writer'
import { parseGeneration } from './parse-request'

/** What the server gives next, and what it was sent last. */
const exchange: { answer: () => Response; path: string; body: JsonObject } = {
  answer: () => new Response(),
  path: '',
  body: {},
}

const server = Bun.serve({
  port: 0,
  // This SDK speaks HTTP/2, in clear text too.
  http2: true,
  async fetch(request) {
    exchange.path = new URL(request.url).pathname
    exchange.body = JSON.parse(await request.text())
    return exchange.answer()
  },
})

const client = new BedrockRuntimeClient({
  region: 'us-east-1',
  endpoint: `http://127.0.0.1:${server.port}`,
  token: { token: 'sk-tg-test' },
  authSchemePreference: ['httpBearerAuth'],
  maxAttempts: 1,
})

afterAll(async () => {
  client.destroy()
  await server.stop(true)
})

const STREAM = { 'content-type': 'application/vnd.amazon.eventstream' }

const ANSWER: Answer = {
  choices: [
    {
      parts: [
        { type: 'reasoning', text: 'let me see', signature: { maker: 'anthropic', value: 'sig' } },
        { type: 'reasoning', text: '', encrypted: { maker: 'anthropic', value: btoa('secret') } },
        { type: 'text', text: 'It is sunny: ☀️' },
        { type: 'tool_call', id: 'c1', name: 'look', arguments: '{"at":"noon"}' },
        {
          type: 'media',
          media: 'image',
          data: { base64: btoa('picture') },
          mimeType: 'image/png',
        },
      ],
      finish: { reason: 'tool_calls', native: 'tool_calls' },
    },
  ],
  usage: { ...NO_USAGE, inputTokens: 12, outputTokens: 5, cacheReadTokens: 4 },
}

const REQUEST = {
  modelId: 'openai/gpt-4o:mini',
  system: [{ text: 'Be brief.' }],
  messages: [
    {
      role: 'user' as const,
      content: [
        { text: 'what is this?' },
        { image: { format: 'png' as const, source: { bytes: Buffer.from('picture') } } },
      ],
    },
  ],
  inferenceConfig: { maxTokens: 100, stopSequences: ['END'] },
}

function streamed(): Uint8Array {
  const writer = new ConverseFrameWriter(new Losses())
  const { parts = [], finish } = ANSWER.choices[0] ?? {}
  const frames = [writer.write([{ type: 'start' }])]
  parts.forEach((part, index) =>
    frames.push(
      writer.write([{ type: 'part_start', choice: 0, index, part }]),
      writer.write([{ type: 'part_end', choice: 0, index }])
    )
  )
  if (finish && ANSWER.usage)
    frames.push(
      writer.write([
        { type: 'finish', choice: 0, finish },
        { type: 'usage', usage: ANSWER.usage },
        { type: 'end' },
      ])
    )
  return Buffer.concat(frames)
}

async function gather(stream: AsyncIterable<ConverseStreamOutput> | undefined) {
  const events: ConverseStreamOutput[] = []
  for await (const event of stream ?? []) events.push(event)
  return events
}

test('what the SDK sends is read, its bytes and its path too', async () => {
  const losses = new Losses()
  exchange.answer = () => Response.json(renderChatAnswer(ANSWER, losses))
  await client.send(new ConverseCommand(REQUEST))
  expect(exchange.path).toBe('/model/openai%2Fgpt-4o%3Amini/converse')
  expect(parseGeneration(exchange.body, { model: 'm' })).toMatchObject({
    maxTokens: 100,
    stop: ['END'],
    messages: [
      { role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] },
      {
        role: 'user',
        parts: [
          { type: 'text', text: 'what is this?' },
          { type: 'media', data: { base64: btoa('picture') }, mimeType: 'image/png' },
        ],
      },
    ],
  })
})

test('a whole answer is what the SDK reads', async () => {
  exchange.answer = () => Response.json(renderChatAnswer(ANSWER, new Losses()))
  const { output, stopReason, usage } = await client.send(new ConverseCommand(REQUEST))
  expect(stopReason).toBe('tool_use')
  expect(usage).toMatchObject({ inputTokens: 8, outputTokens: 5, totalTokens: 17 })
  expect(output?.message?.content).toEqual([
    { reasoningContent: { reasoningText: { text: 'let me see', signature: 'sig' } } },
    { reasoningContent: { redactedContent: new Uint8Array(Buffer.from('secret')) } },
    { text: 'It is sunny: ☀️' },
    { toolUse: { toolUseId: 'c1', name: 'look', input: { at: 'noon' } } },
    { image: { format: 'png', source: { bytes: new Uint8Array(Buffer.from('picture')) } } },
  ])
})

test('a stream is what the SDK reads', async () => {
  exchange.answer = () => new Response(streamed(), { headers: STREAM })
  const { stream } = await client.send(new ConverseStreamCommand(REQUEST))
  const events = await gather(stream)
  const at = (contentBlockIndex: number, delta: object) => ({
    contentBlockDelta: { delta, contentBlockIndex },
  })
  const stop = (contentBlockIndex: number) => ({ contentBlockStop: { contentBlockIndex } })
  const picture = new Uint8Array(Buffer.from('picture'))
  const secret = new Uint8Array(Buffer.from('secret'))
  const told: unknown[] = [
    { messageStart: { role: 'assistant' } },
    at(0, { reasoningContent: { text: 'let me see' } }),
    at(0, { reasoningContent: { signature: 'sig' } }),
    stop(0),
    at(1, { reasoningContent: { redactedContent: secret } }),
    stop(1),
    at(2, { text: 'It is sunny: ☀️' }),
    stop(2),
    {
      contentBlockStart: {
        start: { toolUse: { toolUseId: 'c1', name: 'look' } },
        contentBlockIndex: 3,
      },
    },
    at(3, { toolUse: { input: '{"at":"noon"}' } }),
    stop(3),
    { contentBlockStart: { start: { image: { format: 'png' } }, contentBlockIndex: 4 } },
    at(4, { image: { source: { bytes: picture } } }),
    stop(4),
    { messageStop: { stopReason: 'tool_use' } },
    {
      metadata: {
        usage: { inputTokens: 8, outputTokens: 5, totalTokens: 17, cacheReadInputTokens: 4 },
        metrics: { latencyMs: 0 },
      },
    },
  ]
  expect(events.map((event): unknown => event)).toEqual(told)
})

const REFUSAL = new GatewayError('upstream_refused', 'slow down', { status: 429 })

test('an error is what the SDK throws', async () => {
  exchange.answer = () =>
    new Response(renderError(REFUSAL), { status: 429, headers: errorHeaders(REFUSAL) })
  const asked = client.send(new ConverseCommand(REQUEST))
  expect(await asked.catch((error: unknown) => error)).toMatchObject({
    name: 'ThrottlingException',
    message: 'slow down',
    $metadata: { httpStatusCode: 429 },
  })
})

test('so is one in a stream', async () => {
  const begun = Buffer.from(streamed())
  const first = begun.subarray(0, begun.readUInt32BE(0))
  const frames = [first, renderErrorFrame(REFUSAL)]
  exchange.answer = () => new Response(Buffer.concat(frames), { headers: STREAM })
  const { stream } = await client.send(new ConverseStreamCommand(REQUEST))
  expect(await gather(stream).catch((error: unknown) => error)).toMatchObject({
    name: 'ThrottlingException',
    message: 'slow down',
  })
})
