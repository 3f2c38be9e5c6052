import { ChatAnthropic } from '@langchain/anthropic'
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import {
  type AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  ToolMessage,
} from '@langchain/core/messages'
import { ChatOpenAI } from '@langchain/openai'

import { isRecord } from '../../src/std/record'
import type { Access, Driver, Question, Said } from './driver'
import { raises } from './driver'
import { describeSdks } from './suite'
import { PIXEL } from './upstreams'

type Chat = BaseChatModel<object, AIMessageChunk>

type Package = {
  title: string
  open(access: Access, question: Question): Chat
  /** What the package adds to its provider's own errors. */
  errorCodes: Record<401 | 404 | 429, string>
  lacks: Driver['lacks']
}

const CODES = { 401: 'MODEL_AUTHENTICATION', 404: 'MODEL_NOT_FOUND', 429: 'MODEL_RATE_LIMIT' }

const PACKAGES: Package[] = [
  {
    title: 'ChatOpenAI, chat completions',
    open: ({ url, key }, { model, thinks }) =>
      new ChatOpenAI({
        model,
        apiKey: key,
        maxRetries: 0,
        configuration: { baseURL: `${url}/langchain/v1` },
        ...(thinks && { modelKwargs: { reasoning_effort: 'medium' } }),
      }),
    errorCodes: CODES,
    // It does not read `reasoning_content`.
    lacks: ['reasoning-shown'],
  },
  {
    title: 'ChatOpenAI, responses',
    open: ({ url, key }, { model, thinks }) =>
      new ChatOpenAI({
        model,
        apiKey: key,
        maxRetries: 0,
        useResponsesApi: true,
        zdrEnabled: true,
        configuration: { baseURL: `${url}/v1` },
        ...(thinks && { modelKwargs: { reasoning: { effort: 'medium', summary: 'auto' } } }),
      }),
    errorCodes: CODES,
    lacks: [],
  },
  {
    title: 'ChatAnthropic',
    open: ({ url, key }, { model, thinks }) =>
      new ChatAnthropic({
        model,
        apiKey: key,
        maxRetries: 0,
        maxTokens: 4_096,
        anthropicApiUrl: `${url}/langchain/anthropic`,
        ...(thinks && { thinking: { type: 'enabled' as const, budget_tokens: 2_048 } }),
      }),
    errorCodes: CODES,
    lacks: ['usage-at-the-end'],
  },
]

function createDriver({ title, open, errorCodes, lacks = [] }: Package): Driver {
  const failure = (status: keyof typeof CODES) =>
    raises(Error, { status, lc_error_code: errorCodes[status] })
  return {
    title: `@langchain, ${title}`,
    ask(access: Access, question: Question) {
      const chat = open(access, question)
      const messages = [new HumanMessage({ contentBlocks: contentOf(question) })]
      return question.schema
        ? structure(chat, question, messages)
        : converse(chat, question, messages)
    },
    failures: {
      400: raises(Error, { status: 400 }),
      401: failure(401),
      404: failure(404),
      429: failure(429),
    },
    lacks,
  }
}

async function converse(chat: Chat, question: Question, messages: BaseMessage[]): Promise<Said> {
  const { tools = [] } = question
  const runnable =
    tools.length > 0 && chat.bindTools
      ? chat.bindTools(
          tools.map(({ name, description, parameters }) => ({
            type: 'function',
            function: { name, description, parameters },
          }))
        )
      : chat
  const { message, pieces } = question.streamed
    ? await gather(await runnable.stream(messages))
    : { message: await runnable.invoke(messages), pieces: 1 }
  const calls = message.tool_calls ?? []
  return {
    text: message.text,
    pieces,
    reasoning: reasoningOf(message),
    calls: calls.map(({ id = '', name, args }) => ({ id, name, input: args })),
    ...tokensOf(message),
    answer: (results) =>
      converse(chat, question, [
        ...messages,
        message,
        ...calls.map(
          ({ id = '', name }, at) =>
            new ToolMessage({ tool_call_id: id, name, content: results[at] ?? '' })
        ),
      ]),
  }
}

async function gather(chunks: AsyncIterable<AIMessageChunk>) {
  let message: AIMessageChunk | undefined
  let pieces = 0
  for await (const chunk of chunks) {
    message = message?.concat(chunk) ?? chunk
    if (chunk.text !== '') pieces++
  }
  if (message === undefined) throw new Error('the stream was empty')
  return { message, pieces }
}

/**
 * Structured output comes parsed, by whichever way the package takes for the model. In streams it can't read
 * the blocks that it makes of responses, nor Anthropic's own beginning of a call.
 */
async function structure(chat: Chat, question: Question, messages: BaseMessage[]): Promise<Said> {
  const structured = chat.withStructuredOutput({ title: 'forecast', ...question.schema })
  const value: unknown =
    question.streamed && chat instanceof ChatOpenAI && !chat.useResponsesApi
      ? (await Array.fromAsync(await structured.stream(messages))).at(-1)
      : await structured.invoke(messages)
  return {
    text: JSON.stringify(value),
    pieces: 1,
    reasoning: '',
    calls: [],
    inputTokens: undefined,
    outputTokens: undefined,
    answer: () => Promise.reject(new Error('there is nothing to go on with')),
  }
}

function contentOf({ prompt, shows }: Question) {
  const text = { type: 'text' as const, text: prompt }
  if (shows === undefined) return [text]
  return [text, { type: 'image' as const, data: PIXEL.base64, mimeType: PIXEL.mimeType }]
}

function tokensOf({ usage_metadata: usage }: { usage_metadata?: unknown }) {
  return {
    inputTokens: isRecord(usage) ? Number(usage.input_tokens) : undefined,
    outputTokens: isRecord(usage) ? Number(usage.output_tokens) : undefined,
  }
}

function reasoningOf({ contentBlocks }: AIMessage): string {
  return contentBlocks.map((block) => (block.type === 'reasoning' ? block.reasoning : '')).join('')
}

describeSdks(PACKAGES.map(createDriver))
