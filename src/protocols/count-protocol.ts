import { GatewayError } from '../errors/gateway-error'
import type { ChatProtocol, ChatTarget } from './chat-protocol'
import type { Generation } from './generation'
import type { JsonObject, JsonValue } from './json'
import { parseJsonAnswer } from './json-answer'
import type { Losses } from './losses'
import { NO_USAGE } from './usage'

/** How one format asks how many tokens a chat would take, and answers it. */
export type CountCodec = {
  /** Names it in the log, e.g. `anthropic-count`. */
  name: string
  path(target: { model: string; baseUrl: string }): string
  /** The question, from a chat in any format. */
  renderRequest(generation: Generation, target: ChatTarget, losses: Losses): JsonObject
  /** The count; `undefined` when the answer holds none. */
  parse(answer: JsonValue): number | undefined
  render(tokens: number): JsonObject
}

/** The format of chats that only counts: requests are read as the chat's own, answers are a number. */
export function createCountProtocol(chat: ChatProtocol, codec: CountCodec): ChatProtocol {
  const read = (answer: JsonValue) => {
    const inputTokens = codec.parse(answer)
    if (inputTokens === undefined)
      throw new GatewayError('upstream_malformed', 'the provider answered with no count of tokens')
    return inputTokens
  }
  return {
    ...chat,
    name: codec.name,
    spokenBy: chat.name,
    operation: 'count',
    client: {
      ...chat.client,
      parseRequest: (body, route) => ({
        ...chat.client.parseRequest(body, route),
        operation: 'count',
        stream: false,
      }),
    },
    upstream: {
      ...chat.upstream,
      path: ({ model, baseUrl }) => codec.path({ model, baseUrl }),
      parseAnswer: (body) => {
        read(parseJsonAnswer(body))
        return { usage: undefined, finishReasons: [] }
      },
    },
    chat: {
      ...chat.chat,
      renderGeneration: codec.renderRequest,
      parseChatAnswer: (json) => ({ choices: [], usage: { ...NO_USAGE, inputTokens: read(json) } }),
      renderChatAnswer: ({ usage }) => codec.render(usage?.inputTokens ?? 0),
    },
  }
}
