import { describe, expect, test } from 'bun:test'
import type { OpenAI } from 'openai'

import type { Access, Driver, Question, Said } from './driver'
import { raises, when } from './driver'
import { loadSdks, type Sdk } from './sdks'
import { describeSdks } from './suite'
import { PIXEL_URL, UPSTREAMS } from './upstreams'

type Item = OpenAI.Responses.ResponseInputItem
type Request = OpenAI.Responses.ResponseCreateParamsNonStreaming

const SDKS = await loadSdks()

/** The Responses API with the official SDK; a conversation is sent whole each time, as `store: false` wants. */
function createDriver(sdk: Sdk): Driver {
  const { openai } = sdk
  return {
    title: `responses by ${sdk.name}`,
    ask: ({ url, key }: Access, question: Question) =>
      converse(new openai.OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 }), question, [
        { role: 'user', content: contentOf(question) },
      ]),
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

async function converse(client: OpenAI, question: Question, input: Item[]): Promise<Said> {
  const request = { ...toRequest(question), input }
  const { response, pieces } = question.streamed
    ? await stream(client, request)
    : { response: await client.responses.create(request), pieces: 1 }
  const calls = response.output.flatMap((item) => (item.type === 'function_call' ? [item] : []))
  return {
    text: response.output_text,
    pieces,
    reasoning: reasoningOf(response),
    calls: calls.map(({ call_id, name, arguments: text }) => ({
      id: call_id,
      name,
      input: JSON.parse(text),
    })),
    inputTokens: response.usage?.input_tokens,
    outputTokens: response.usage?.output_tokens,
    answer: (results) =>
      converse(client, question, [
        ...input,
        ...response.output.flatMap((item) => toInput(item)),
        ...calls.map(({ call_id }, at) => ({
          type: 'function_call_output' as const,
          call_id,
          output: results[at] ?? '',
        })),
      ]),
  }
}

async function stream(client: OpenAI, request: Request) {
  const running = client.responses.stream({ ...request, stream: true })
  let pieces = 0
  running.on('response.output_text.delta', () => void pieces++)
  return { response: await running.finalResponse(), pieces }
}

function toRequest({ model, tools, schema, thinks }: Question) {
  return {
    model,
    store: false,
    ...when(tools, (given) => ({
      tools: given.map((tool) => ({
        type: 'function' as const,
        ...tool,
        parameters: { ...tool.parameters },
        strict: true,
      })),
    })),
    ...when(schema, (wanted) => ({
      text: {
        format: {
          type: 'json_schema' as const,
          name: 'forecast',
          strict: true,
          schema: { ...wanted },
        },
      },
    })),
    ...(thinks && { reasoning: { effort: 'medium' as const, summary: 'auto' as const } }),
  }
}

function contentOf({ prompt, shows }: Question): OpenAI.Responses.ResponseInputContent[] {
  const text = { type: 'input_text' as const, text: prompt }
  if (shows === undefined) return [text]
  return [text, { type: 'input_image', image_url: PIXEL_URL, detail: 'auto' }]
}

/** What came out goes in again as it is, as far as the types let it. */
function toInput(item: OpenAI.Responses.ResponseOutputItem): Item[] {
  if (item.type === 'message' || item.type === 'function_call' || item.type === 'reasoning')
    return [item]
  return []
}

function reasoningOf({ output }: OpenAI.Responses.Response): string {
  const items = output.flatMap((item) => (item.type === 'reasoning' ? [item] : []))
  const pieces = items.flatMap(({ summary, content = [] }) => [summary, content])
  return pieces
    .flat()
    .map(({ text }) => text)
    .join('')
}

const floor = describeSdks(SDKS.map(createDriver))

describe.each(UPSTREAMS)('events before %s', (upstream) => {
  const ask = (more: Partial<Request> = {}) => {
    const [sdk] = SDKS
    if (sdk === undefined) throw new Error('no SDK was loaded')
    const client = new sdk.openai.OpenAI({
      baseURL: `${floor().url}/openai/v1`,
      apiKey: floor().key,
    })
    return client.responses.create({
      model: `${upstream}/sim-1`,
      input: 'Hello?',
      ...more,
      stream: true,
    })
  }

  test('count up without a gap, from created to completed', async () => {
    const events = await Array.fromAsync(await ask())
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual([...events.keys()])
    expect(events[0]?.type).toBe('response.created')
    expect(events.at(-1)?.type).toBe('response.completed')
  })

  test('end as incomplete where the limit was met', async () => {
    const last = (await Array.fromAsync(await ask({ max_output_tokens: 16 }))).at(-1)
    const whole = (await Array.fromAsync(await ask({ max_output_tokens: 4_000 }))).at(-1)
    expect(whole?.type).toBe('response.completed')
    if (last?.type !== 'response.incomplete') throw new Error(`the end is ${last?.type}`)
    expect(last.response.incomplete_details).toEqual({ reason: 'max_output_tokens' })
  })
})
