import {
  Anthropic,
  APIError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  RateLimitError,
} from '@anthropic-ai/sdk'
import { VERSION } from '@anthropic-ai/sdk/version'
import { describe, expect, test } from 'bun:test'

import type { Access, Driver, Question, Said } from './driver'
import { raises, when } from './driver'
import { rejectionOf } from './sdks'
import { describeSdks } from './suite'
import { PIXEL, UPSTREAMS } from './upstreams'

const MAX_TOKENS = 4_096
/** The least that every format takes. */
const FEW_TOKENS = 16

/** Anthropic's SDK under the prefix /anthropic: whole by `create`, streamed by its accumulating helper. */
const driver: Driver = {
  title: `messages by @anthropic-ai/sdk ${VERSION}`,
  ask: (access: Access, question: Question) =>
    converse(createClient(access), question, [{ role: 'user', content: contentOf(question) }]),
  failures: {
    400: raises(BadRequestError, { status: 400, type: 'invalid_request_error' }),
    401: raises(AuthenticationError, { status: 401, type: 'authentication_error' }),
    404: raises(NotFoundError, { status: 404, type: 'not_found_error' }),
    429: raises(RateLimitError, { status: 429, type: 'rate_limit_error' }),
  },
  retryAfterOf: (error) =>
    error instanceof APIError ? (error.headers?.get('retry-after') ?? undefined) : undefined,
}

function createClient({ url, key }: Access, prefix = '/anthropic'): Anthropic {
  return new Anthropic({ baseURL: `${url}${prefix}`, apiKey: key, maxRetries: 0 })
}

async function converse(
  client: Anthropic,
  question: Question,
  messages: Anthropic.MessageParam[]
): Promise<Said> {
  const request = { ...toRequest(question), messages }
  const { message, pieces } = question.streamed
    ? await stream(client, request)
    : { message: await client.messages.create(request), pieces: 1 }
  const calls = message.content.flatMap((block) =>
    block.type === 'tool_use' ? [{ id: block.id, name: block.name, input: block.input }] : []
  )
  return {
    text: message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    pieces,
    reasoning: message.content
      .map((block) => (block.type === 'thinking' ? block.thinking : ''))
      .join(''),
    calls,
    inputTokens: message.usage.input_tokens,
    outputTokens: message.usage.output_tokens,
    answer: (results) =>
      converse(client, question, [
        ...messages,
        { role: 'assistant', content: message.content },
        {
          role: 'user',
          content: calls.map(({ id }, at) => ({
            type: 'tool_result' as const,
            tool_use_id: id,
            content: results[at] ?? '',
          })),
        },
      ]),
  }
}

async function stream(client: Anthropic, request: Anthropic.MessageCreateParamsNonStreaming) {
  const running = client.messages.stream(request)
  let pieces = 0
  running.on('text', () => void pieces++)
  return { message: await running.finalMessage(), pieces }
}

function toRequest({ model, tools, schema, thinks }: Question) {
  return {
    model,
    max_tokens: MAX_TOKENS,
    ...when(tools, (given) => ({
      tools: given.map(({ name, description, parameters }) => ({
        name,
        description,
        input_schema: { ...parameters },
      })),
    })),
    ...when(schema, (wanted) => ({
      output_config: { format: { type: 'json_schema' as const, schema: { ...wanted } } },
    })),
    ...(thinks && { thinking: { type: 'enabled' as const, budget_tokens: 2_048 } }),
  }
}

function contentOf({ prompt, shows }: Question): string | Anthropic.ContentBlockParam[] {
  if (shows === undefined) return prompt
  return [
    {
      type: 'image',
      source: { type: 'base64', media_type: PIXEL.mimeType, data: PIXEL.base64 },
    },
    { type: 'text', text: prompt },
  ]
}

const floor = describeSdks([driver])

describe.each(UPSTREAMS)('before %s', (upstream) => {
  const request = {
    model: `${upstream}/sim-1`,
    max_tokens: MAX_TOKENS,
    messages: [{ role: 'user' as const, content: 'What is a tollgate?' }],
  }

  test('the SDK’s own default of a version path works without a prefix', async () => {
    const message = await createClient(floor(), '').messages.create(request)
    expect(message.type).toBe('message')
    expect(message.stop_reason).toBe('end_turn')
  })

  test('events come in the order that the API promises', async () => {
    const events = await Array.fromAsync(
      await createClient(floor()).messages.create({ ...request, stream: true })
    )
    const types = events.map(({ type }) => type)
    expect(types[0]).toBe('message_start')
    expect(types.slice(-2)).toEqual(['message_delta', 'message_stop'])
    const starts = types.filter((type) => type === 'content_block_start').length
    expect(types.filter((type) => type === 'content_block_stop')).toHaveLength(starts)
  })

  test('a limit that was met is told as max_tokens', async () => {
    const message = await createClient(floor()).messages.create({
      ...request,
      max_tokens: FEW_TOKENS,
    })
    expect(message.stop_reason).toBe('max_tokens')
    expect(message.usage.output_tokens).toBe(FEW_TOKENS)
  })

  test('tokens are counted, more for more', async () => {
    const count = (content: string) =>
      createClient(floor()).messages.countTokens({
        model: request.model,
        messages: [{ role: 'user', content }],
      })
    const few = await count('Hello?')
    const many = await count('Hello? '.repeat(50))
    expect(few.input_tokens).toBeGreaterThan(0)
    expect(many.input_tokens).toBeGreaterThan(few.input_tokens)
  })

  test('a refusal carries the id that the log has', async () => {
    const asked = createClient(floor()).messages.create({ ...request, model: 'nowhere/model' })
    const error = await rejectionOf(asked)
    if (!(error instanceof NotFoundError)) throw error
    expect(error.requestID).toMatch(/^[0-9a-f-]{36}$/)
  })
})

test('models are listed as Anthropic lists them', async () => {
  const page = await createClient(floor()).models.list()
  for (const model of page.data) expect(model.type).toBe('model')
  expect(page.has_more).toBeFalse()
})
