import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import {
  APICallError,
  generateText,
  jsonSchema,
  type LanguageModel,
  type ModelMessage,
  Output,
  streamText,
  tool,
  type ToolSet,
} from 'ai'

import type { Access, Driver, Failure, Question, Said } from './driver'
import { when } from './driver'
import { describeSdks } from './suite'
import { PIXEL } from './upstreams'

type ProviderOptions = NonNullable<Parameters<typeof generateText>[0]['providerOptions']>

type Package = {
  title: string
  open(access: Access, model: string): LanguageModel
  /** Always, and where it shall think. */
  options: ProviderOptions
  thinking: ProviderOptions
  lacks?: Driver['lacks']
}

/** Each with no more than its base URL, which here holds the version too, and the key. */
const PACKAGES: Package[] = [
  {
    title: '@ai-sdk/openai, chat',
    open: ({ url, key }, model) =>
      createOpenAI({ baseURL: `${url}/openai/v1`, apiKey: key }).chat(model),
    options: {},
    thinking: { openai: { forceReasoning: true, reasoningEffort: 'medium' } },
    // It does not read `reasoning_content`.
    lacks: ['reasoning-shown'],
  },
  {
    title: '@ai-sdk/openai, responses',
    open: ({ url, key }, model) =>
      createOpenAI({ baseURL: `${url}/v1`, apiKey: key }).responses(model),
    // The conversation is sent whole: nothing is kept at a provider that may be another one next time.
    options: { openai: { store: false } },
    thinking: {
      openai: {
        store: false,
        forceReasoning: true,
        reasoningEffort: 'medium',
        reasoningSummary: 'auto',
      },
    },
  },
  {
    title: '@ai-sdk/anthropic',
    open: ({ url, key }, model) =>
      createAnthropic({ baseURL: `${url}/anthropic/v1`, apiKey: key })(model),
    options: {},
    thinking: { anthropic: { thinking: { type: 'enabled', budgetTokens: 2_048 } } },
  },
  {
    title: '@ai-sdk/google',
    // The package takes a name with a slash for a whole resource name.
    open: ({ url, key }, model) =>
      createGoogle({ baseURL: `${url}/genai/v1beta`, apiKey: key })(`models/${model}`),
    options: {},
    thinking: { google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 2_048 } } },
  },
  {
    title: '@ai-sdk/amazon-bedrock',
    open: ({ url, key }, model) =>
      createAmazonBedrock({ baseURL: `${url}/bedrock`, apiKey: key, region: 'us-east-1' })(model, {
        modelFamily: 'anthropic',
      }),
    options: {},
    thinking: {
      bedrock: { reasoningConfig: { type: 'enabled', budgetTokens: 2_048 } },
    },
  },
]

function createDriver({ title, open, options, thinking, lacks = [] }: Package): Driver {
  return {
    title: `ai with ${title}`,
    ask: (access: Access, question: Question) =>
      converse(
        {
          model: open(access, question.model),
          providerOptions: question.thinks ? thinking : options,
        },
        question,
        [{ role: 'user', content: contentOf(question) }]
      ),
    failures: {
      400: calling({ statusCode: 400, isRetryable: false }),
      401: calling({ statusCode: 401 }),
      404: calling({ statusCode: 404 }),
      429: calling({ statusCode: 429, isRetryable: true }),
    },
    lacks,
    retryAfterOf: (error) =>
      APICallError.isInstance(error) ? error.responseHeaders?.['retry-after'] : undefined,
  }
}

/** Packages bring classes of their own: the SDK tells its errors by a mark. */
const calling = (members: object): Failure => ({ isOne: APICallError.isInstance, members })

type Opened = { model: LanguageModel; providerOptions: ProviderOptions }

async function converse(
  opened: Opened,
  question: Question,
  messages: ModelMessage[]
): Promise<Said> {
  const request = { ...opened, ...toRequest(question), messages, maxRetries: 0 }
  const { result, pieces } = question.streamed
    ? await stream(request)
    : { result: await generateText(request), pieces: 1 }
  const calls = await result.toolCalls
  const usage = await result.usage
  const told = await result.responseMessages
  return {
    text: await result.text,
    pieces,
    reasoning: (await result.reasoningText) ?? '',
    calls: calls.map(({ toolCallId, toolName, input }) => ({
      id: toolCallId,
      name: toolName,
      input,
    })),
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    answer: (results) =>
      converse(opened, question, [
        ...messages,
        ...told,
        {
          role: 'tool',
          content: calls.map(({ toolCallId, toolName }, at) => ({
            type: 'tool-result' as const,
            toolCallId,
            toolName,
            output: { type: 'text' as const, value: results[at] ?? '' },
          })),
        },
      ]),
  }
}

async function stream(request: Parameters<typeof streamText>[0]) {
  const result = streamText({ ...request, onError: () => undefined })
  let pieces = 0
  for await (const part of result.fullStream) {
    if (part.type === 'error') throw part.error
    if (part.type === 'text-delta') pieces++
  }
  return { result, pieces }
}

function toRequest({ tools, schema }: Question) {
  return {
    ...when(tools, (given) => {
      const set: ToolSet = {}
      for (const { name, description, parameters } of given)
        set[name] = tool({ description, inputSchema: jsonSchema({ ...parameters }) })
      return { tools: set }
    }),
    ...when(schema, (wanted) => ({
      output: Output.object({ schema: jsonSchema({ ...wanted }), name: 'forecast' }),
    })),
  }
}

function contentOf({ prompt, shows }: Question) {
  if (shows === undefined) return prompt
  return [
    { type: 'text' as const, text: prompt },
    { type: 'file' as const, data: PIXEL.base64, mediaType: PIXEL.mimeType },
  ]
}

describeSdks(PACKAGES.map(createDriver))
