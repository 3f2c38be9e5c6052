import type { OpenAI } from 'openai'
import { expect, test } from 'bun:test'

import type { Access, Driver, Question, Said } from './driver'
import { raises, when } from './driver'
import { loadSdks, type Sdk } from './sdks'
import { describeSdks } from './suite'
import { PIXEL_URL, UPSTREAMS } from './upstreams'

const SDKS = await loadSdks()

/** Chat completions with the official SDK: whole by `create`, streamed by its own accumulating helper. */
function createDriver(sdk: Sdk): Driver {
  const { openai } = sdk
  return {
    title: `chat completions by ${sdk.name}`,
    ask({ url, key }: Access, question: Question) {
      const client = new openai.OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 })
      return converse(client, question, [{ role: 'user', content: contentOf(question) }])
    },
    failures: {
      400: raises(openai.BadRequestError, { status: 400 }),
      401: raises(openai.AuthenticationError, { status: 401, code: 'invalid_api_key' }),
      404: raises(openai.NotFoundError, { status: 404, code: 'model_not_found' }),
      429: raises(openai.RateLimitError, { status: 429 }),
    },
    retryAfterOf: (error) =>
      error instanceof openai.APIError
        ? (error.headers?.get('retry-after') ?? undefined)
        : undefined,
  }
}

async function converse(
  client: OpenAI,
  question: Question,
  messages: OpenAI.ChatCompletionMessageParam[]
): Promise<Said> {
  const request = { ...toRequest(question), messages }
  const { completion, pieces } = question.streamed
    ? await stream(client, request)
    : { completion: await client.chat.completions.create(request), pieces: 1 }
  const message = completion.choices[0]?.message
  if (message === undefined) throw new Error('there is no choice')
  const calls = (message.tool_calls ?? []).flatMap((call) =>
    call.type === 'function' ? [call] : []
  )
  return {
    text: message.content ?? '',
    pieces,
    reasoning: reasoningOf(message),
    calls: calls.map(({ id, function: { name, arguments: text } }) => ({
      id,
      name,
      input: JSON.parse(text),
    })),
    inputTokens: completion.usage?.prompt_tokens,
    outputTokens: completion.usage?.completion_tokens,
    answer: (results) =>
      converse(client, question, [
        ...messages,
        message,
        ...calls.map(({ id }, at) => ({
          role: 'tool' as const,
          tool_call_id: id,
          content: results[at] ?? '',
        })),
      ]),
  }
}

async function stream(client: OpenAI, request: OpenAI.ChatCompletionCreateParamsNonStreaming) {
  const running = client.chat.completions.stream({
    ...request,
    stream: true,
    stream_options: { include_usage: true },
  })
  let pieces = 0
  running.on('content.delta', () => void pieces++)
  return { completion: await running.finalChatCompletion(), pieces }
}

function toRequest({ model, tools, schema, thinks }: Question) {
  return {
    model,
    ...when(tools, (given) => ({
      tools: given.map((tool) => ({
        type: 'function' as const,
        function: { ...tool, parameters: { ...tool.parameters } },
      })),
    })),
    ...when(schema, (wanted) => ({
      response_format: {
        type: 'json_schema' as const,
        json_schema: { name: 'forecast', strict: true, schema: { ...wanted } },
      },
    })),
    ...(thinks && { reasoning_effort: 'medium' as const }),
  }
}

function contentOf({ prompt, shows }: Question): string | OpenAI.ChatCompletionContentPart[] {
  if (shows === undefined) return prompt
  return [
    { type: 'text', text: prompt },
    { type: 'image_url', image_url: { url: PIXEL_URL } },
  ]
}

/** `reasoning_content` is what the hosts that show thoughts have agreed on; the SDK's types know none. */
function reasoningOf(message: object): string {
  const text = 'reasoning_content' in message ? message.reasoning_content : undefined
  return typeof text === 'string' ? text : ''
}

const floor = describeSdks(SDKS.map(createDriver))

test.each(UPSTREAMS)('the prefix /openai/v1 is a base URL too, before %s', async (upstream) => {
  const [sdk] = SDKS
  if (sdk === undefined) throw new Error('no SDK was loaded')
  const client = new sdk.openai.OpenAI({ baseURL: `${floor().url}/openai/v1`, apiKey: floor().key })
  const { choices } = await client.chat.completions.create({
    model: `${upstream}/sim-1`,
    messages: [{ role: 'user', content: 'Hello?' }],
  })
  expect(choices[0]?.message.content).toContain('Hello?')
  expect(choices[0]?.finish_reason).toBe('stop')
})
