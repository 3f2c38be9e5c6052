import type { GatewayError } from '../../errors/gateway-error'
import type { ChatProtocol } from '../chat-protocol'
import { openaiChat } from '../openai/openai'
import { parseRequest } from '../openai/request'
import { renderChatAnswer } from './answer'
import { parseGeneration } from './request'
import { CohereFrameWriter } from './writer'

const encoder = new TextEncoder()

/** https://docs.cohere.com/reference/errors */
const renderError = (error: GatewayError, requestId: string) =>
  JSON.stringify({ id: requestId, message: error.message })

/**
 * POST /v2/chat for Cohere's clients: https://docs.cohere.com/v2/reference/chat. No upstream is told a chat in it: its
 * requests are read by way of OpenAI's format, whose upstream half stands in.
 */
export const cohereChat: ChatProtocol = {
  ...openaiChat,
  name: 'cohere-chat',
  client: {
    parseRequest: (body, route) => ({
      ...parseRequest('generate', body, route),
      includesUsage: true,
    }),
    requestHeaders: [],
    renderError,
    renderErrorFrame: (error, requestId) => {
      // The SDK ends a stream at this reason, and says so.
      const data = {
        type: 'message-end',
        id: requestId,
        delta: { finish_reason: 'ERROR', error: error.message },
      }
      return encoder.encode(`event: message-end\ndata: ${JSON.stringify(data)}\n\n`)
    },
    heartbeatFrame: encoder.encode(': keep-alive\n\n'),
    streamType: 'text/event-stream; charset=utf-8',
  },
  chat: {
    ...openaiChat.chat,
    parseGeneration,
    renderChatAnswer,
    createFrameWriter: (context, losses) => new CohereFrameWriter(context, losses),
  },
}
