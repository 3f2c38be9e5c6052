import {
  AccessDeniedException,
  BedrockRuntimeClient,
  BedrockRuntimeServiceException,
  type ContentBlock,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  CountTokensCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
  type Message,
  ResourceNotFoundException,
  ThrottlingException,
  ValidationException,
} from '@aws-sdk/client-bedrock-runtime'
import { afterAll, describe, expect, test } from 'bun:test'

import { isRecord } from '../../src/std/record'
import { collect, type Streamed } from './bedrock-stream'
import type { Access, Driver, Question, Said } from './driver'
import { raises, when } from './driver'
import { rejectionOf } from './sdks'
import { describeSdks } from './suite'
import { PIXEL, UPSTREAMS } from './upstreams'

const clients: BedrockRuntimeClient[] = []
afterAll(() => clients.forEach((client) => client.destroy()))

/** AWS's SDK as it comes: HTTP/2 in clear text, with a Bedrock API key. */
const driver: Driver = {
  title: 'Converse by @aws-sdk/client-bedrock-runtime',
  ask: (access: Access, question: Question) =>
    converse(createClient(access), question, [{ role: 'user', content: contentOf(question) }]),
  failures: {
    400: raises(ValidationException, { $metadata: { httpStatusCode: 400 } }),
    401: raises(AccessDeniedException, { name: 'AccessDeniedException' }),
    404: raises(ResourceNotFoundException, { $metadata: { httpStatusCode: 404 } }),
    429: raises(ThrottlingException, { $metadata: { httpStatusCode: 429 } }),
  },
  retryAfterOf: (error) =>
    error instanceof BedrockRuntimeServiceException
      ? error.$response?.headers['retry-after']
      : undefined,
}

function createClient({ url, key }: Access, prefix = '/bedrock'): BedrockRuntimeClient {
  const client = new BedrockRuntimeClient({
    endpoint: `${url}${prefix}`,
    region: 'us-east-1',
    token: { token: key },
    authSchemePreference: ['httpBearerAuth'],
    maxAttempts: 1,
  })
  clients.push(client)
  return client
}

async function converse(
  client: BedrockRuntimeClient,
  question: Question,
  messages: Message[]
): Promise<Said> {
  const request = { ...toRequest(question), messages }
  const { content, usage, textPieces } = question.streamed
    ? await stream(client, request)
    : await whole(client, request)
  const calls = content.flatMap(({ toolUse }) => (toolUse ? [toolUse] : []))
  return {
    text: content.map(({ text = '' }) => text).join(''),
    pieces: textPieces,
    reasoning: content
      .map(({ reasoningContent }) => reasoningContent?.reasoningText?.text ?? '')
      .join(''),
    calls: calls.map(({ toolUseId = '', name = '', input }) => ({ id: toolUseId, name, input })),
    inputTokens: usage?.inputTokens,
    outputTokens: usage?.outputTokens,
    answer: (results) =>
      converse(client, question, [
        ...messages,
        { role: 'assistant', content },
        {
          role: 'user',
          content: calls.map(({ toolUseId }, at) => ({
            toolResult: { toolUseId, content: [{ text: results[at] ?? '' }] },
          })),
        },
      ]),
  }
}

async function whole(client: BedrockRuntimeClient, request: ConverseCommandInput) {
  const { output, stopReason, usage } = await client.send(new ConverseCommand(request))
  return { content: output?.message?.content ?? [], stopReason, usage, textPieces: 1 }
}

async function stream(
  client: BedrockRuntimeClient,
  request: ConverseCommandInput
): Promise<Streamed> {
  const { stream: events } = await client.send(new ConverseStreamCommand(request))
  if (events === undefined) throw new Error('there is no stream')
  return collect(events)
}

function toRequest({ model, tools, schema, thinks }: Question) {
  return {
    modelId: model,
    ...when(tools, (given) => ({
      toolConfig: {
        tools: given.map(({ name, description, parameters }) => ({
          toolSpec: { name, description, inputSchema: { json: { ...parameters } } },
        })),
      },
    })),
    ...when(schema, (wanted) => ({
      outputConfig: {
        textFormat: {
          type: 'json_schema' as const,
          structure: { jsonSchema: { name: 'forecast', schema: JSON.stringify(wanted) } },
        },
      },
    })),
    ...(thinks && {
      additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 2_048 } },
      inferenceConfig: { maxTokens: 4_096 },
    }),
  }
}

function contentOf({ prompt, shows }: Question): ContentBlock[] {
  if (shows === undefined) return [{ text: prompt }]
  const bytes = Uint8Array.fromBase64(PIXEL.base64)
  return [{ text: prompt }, { image: { format: 'png', source: { bytes } } }]
}

const floor = describeSdks([driver])

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A body of Anthropic's, as InvokeModel carries it to that family. */
const nativeBody = (more: object = {}) => ({
  contentType: 'application/json',
  body: encoder.encode(
    JSON.stringify({
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 1_024,
      messages: [{ role: 'user', content: 'What is a tollgate?' }],
      ...more,
    })
  ),
})

function readJson(bytes: Uint8Array | undefined): Record<string, unknown> {
  const value: unknown = JSON.parse(decoder.decode(bytes))
  if (!isRecord(value)) throw new Error('it is no object')
  return value
}

describe.each(UPSTREAMS)('before %s', (upstream) => {
  const modelId = `${upstream}/anthropic.sim-1`

  test('InvokeModel answers in Anthropic’s words', async () => {
    const { body } = await createClient(floor()).send(
      new InvokeModelCommand({ modelId, ...nativeBody() })
    )
    expect(readJson(body)).toMatchObject({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text: expect.stringContaining('“What is a tollgate?”') }],
      stop_reason: 'end_turn',
    })
  })

  test('InvokeModelWithResponseStream streams Anthropic’s events', async () => {
    const { body } = await createClient(floor()).send(
      new InvokeModelWithResponseStreamCommand({ modelId, ...nativeBody() })
    )
    if (body === undefined) throw new Error('there is no stream')
    const events: Record<string, unknown>[] = []
    for await (const { chunk } of body) if (chunk) events.push(readJson(chunk.bytes))
    expect(events[0]?.type).toBe('message_start')
    expect(events.at(-1)?.type).toBe('message_stop')
    const deltas = events.filter(({ type }) => type === 'content_block_delta')
    expect(deltas.length).toBeGreaterThan(3)
    expect(JSON.stringify(deltas[0])).toContain('text_delta')
  })

  test('tokens are counted', async () => {
    const { inputTokens } = await createClient(floor()).send(
      new CountTokensCommand({
        modelId,
        input: { converse: { messages: [{ role: 'user', content: [{ text: 'Hello?' }] }] } },
      })
    )
    expect(inputTokens).toBeGreaterThan(0)
  })

  test('a limit that was met is told as max_tokens', async () => {
    const { stopReason, usage } = await whole(createClient(floor(), ''), {
      modelId,
      messages: [{ role: 'user', content: [{ text: 'Hello?' }] }],
      inferenceConfig: { maxTokens: 16 },
    })
    expect(stopReason).toBe('max_tokens')
    expect(usage?.totalTokens).toBe((usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0))
  })

  test('an exception in a running stream has its class', async () => {
    const asked = stream(createClient(floor()), {
      modelId: `${upstream}/fault-error-mid-stream`,
      messages: [{ role: 'user', content: [{ text: 'Hello?' }] }],
    })
    expect(await rejectionOf(asked)).toBeInstanceOf(BedrockRuntimeServiceException)
  })
})

test('the key may come from the environment, as AWS documents it', async () => {
  const { url, key } = floor()
  const name = 'AWS_BEARER_TOKEN_BEDROCK'
  const before = process.env[name]
  process.env[name] = key
  const client = new BedrockRuntimeClient({ endpoint: `${url}/bedrock`, region: 'us-east-1' })
  clients.push(client)
  try {
    const { stopReason } = await whole(client, {
      modelId: 'chat/sim-1',
      messages: [{ role: 'user', content: [{ text: 'Hello?' }] }],
    })
    expect(stopReason).toBe('end_turn')
  } finally {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  }
})
