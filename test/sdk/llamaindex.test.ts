import { OpenAI } from '@llamaindex/openai'
import {
  type ChatMessage,
  FunctionTool,
  type PartialToolCall,
  type ToolCall,
  type ToolCallLLMMessageOptions,
} from 'llamaindex'

import type { Access, Driver, Question, Said } from './driver'
import { raises, when } from './driver'
import { describeSdks } from './suite'
import { PIXEL_URL } from './upstreams'

type PartialCall = ToolCall | PartialToolCall
type Message = ChatMessage<ToolCallLLMMessageOptions>

/** LlamaIndex over chat completions; the errors are those of the OpenAI SDK that it brings with it. */
const driver: Driver = {
  title: 'llamaindex with @llamaindex/openai',
  ask: ({ url, key }: Access, question: Question) =>
    converse(
      new OpenAI({
        model: question.model,
        apiKey: key,
        baseURL: `${url}/v1`,
        maxRetries: 0,
      }),
      question,
      [{ role: 'user', content: contentOf(question) }]
    ),
  failures: {
    400: raises(Error, { status: 400 }),
    401: raises(Error, { status: 401, code: 'invalid_api_key' }),
    404: raises(Error, { status: 404, code: 'model_not_found' }),
    429: raises(Error, { status: 429 }),
  },
  // An effort goes only to models of names that it knows.
  lacks: ['reasoning', 'usage'],
}

async function converse(llm: OpenAI, question: Question, messages: Message[]): Promise<Said> {
  const request = { messages, ...toRequest(question) }
  const { text, calls, pieces } = question.streamed
    ? await gather(await llm.chat({ ...request, stream: true }))
    : await ask(llm, request)
  return {
    text,
    pieces,
    reasoning: '',
    calls: calls.map(({ id, name, input }) => ({
      id,
      name,
      input: typeof input === 'string' ? JSON.parse(input) : input,
    })),
    inputTokens: undefined,
    outputTokens: undefined,
    answer: (results) =>
      converse(llm, question, [
        ...messages,
        { role: 'assistant', content: text, options: { toolCall: calls } },
        ...calls.map(({ id }, at) => ({
          role: 'user' as const,
          content: results[at] ?? '',
          options: { toolResult: { id, result: results[at] ?? '', isError: false } },
        })),
      ]),
  }
}

async function ask(llm: OpenAI, request: { messages: Message[] }) {
  const { message } = await llm.chat(request)
  return { text: textOf(message), calls: callsOf(message.options), pieces: 1 }
}

type Chunks = Awaited<ReturnType<typeof streamOf>>
const streamOf = (llm: OpenAI) => llm.chat({ messages: [], stream: true })

/** A call is told again and again while it grows: the last word of each id counts. */
async function gather(chunks: Chunks) {
  const calls = new Map<string, PartialCall>()
  let text = ''
  let pieces = 0
  for await (const { delta, options } of chunks) {
    text += delta
    if (delta !== '') pieces++
    for (const call of callsOf(options)) calls.set(call.id, call)
  }
  return { text, calls: [...calls.values()], pieces }
}

function callsOf(options: ToolCallLLMMessageOptions | undefined): PartialCall[] {
  if (options === undefined || !('toolCall' in options)) return []
  return options.toolCall
}

function textOf({ content }: Message): string {
  return typeof content === 'string' ? content : ''
}

function toRequest({ tools, schema }: Question) {
  return {
    ...when(tools, (given) => ({
      tools: given.map(({ name, description, parameters }) =>
        FunctionTool.from(() => '', { name, description, parameters })
      ),
    })),
    ...when(schema, (wanted) => ({
      responseFormat: {
        type: 'json_schema',
        json_schema: { name: 'forecast', strict: true, schema: wanted },
      },
    })),
  }
}

function contentOf({ prompt, shows }: Question): Message['content'] {
  if (shows === undefined) return prompt
  return [
    { type: 'text', text: prompt },
    { type: 'image_url', image_url: { url: PIXEL_URL } },
  ]
}

describeSdks([driver])
