import { z } from 'zod'
import { countTokens } from '../tokens'

const contentSchema = z.union([
  z.string(),
  z.array(z.looseObject({ type: z.string(), text: z.string().nullish() })),
])

const namedFunction = z.looseObject({ name: z.string() })

const messageSchema = z.looseObject({
  role: z.string(),
  content: contentSchema.nullish(),
  reasoning_content: z.string().nullish(),
  tool_calls: z.array(z.looseObject({ id: z.string().nullish() })).nullish(),
  tool_call_id: z.string().nullish(),
})

/** What the simulator reads of a chat request; anything else is accepted, and means nothing here. */
export const chatRequestSchema = z.looseObject({
  messages: z.array(messageSchema).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  n: z.int().min(1).max(128).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.string(),
        function: namedFunction
          .extend({ parameters: z.record(z.string(), z.unknown()).nullish() })
          .nullish(),
      })
    )
    .nullish(),
  tool_choice: z
    .union([
      // `any` is Mistral's word for `required`.
      z.enum(['none', 'auto', 'required', 'any']),
      z.looseObject({ type: z.string(), function: namedFunction.nullish() }),
    ])
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: z
    .looseObject({
      type: z.enum(['text', 'json_object', 'json_schema']),
      json_schema: z.looseObject({ schema: z.record(z.string(), z.unknown()).nullish() }).nullish(),
    })
    .nullish(),
})

export type ChatRequest = z.infer<typeof chatRequestSchema>
export type ChatMessage = ChatRequest['messages'][number]

/** The text of a message, its parts joined; parts that are no text are left out. */
export function textOf({ content }: ChatMessage): string {
  if (typeof content === 'string') return content
  return (content ?? []).map((part) => part.text ?? '').join('\n')
}

/** The last message of a role; '' where there is none. */
export function lastText(request: ChatRequest, role: string): string {
  const message = request.messages.findLast((candidate) => candidate.role === role)
  return message ? textOf(message) : ''
}

/** The prompt's tokens: four a message, as chat templates take, and those of texts and tools. */
export function promptTokens(request: ChatRequest): number {
  const messages = request.messages.map((message) => 4 + countTokens(textOf(message)))
  const tools = request.tools?.length ? countTokens(JSON.stringify(request.tools)) : 0
  return messages.reduce((sum, tokens) => sum + tokens, 3 + tools)
}
