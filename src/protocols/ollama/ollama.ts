import type { ChatProtocol } from '../chat-protocol'
import { parseJsonAnswer } from '../json-answer'
import { renderRequest } from '../openai/request'
import { parseChatAnswer, renderChatAnswer } from './answer'
import { parseError, renderError, renderErrorFrame } from './errors'
import { OllamaEventReader } from './event-reader'
import { OllamaFrameReader } from './frames'
import { parseGeneration } from './generation-parse'
import { renderGeneration } from './generation-render'
import { NdjsonFramer } from './ndjson'
import { parseRequest } from './request'
import { OllamaFrameWriter } from './writer'

/** POST /api/chat: https://docs.ollama.com/api/chat. The base URL is the server's own, without /v1. */
export const ollamaChat: ChatProtocol = {
  name: 'ollama-chat',
  dialect: 'ollama-chat',
  operation: 'generate',
  client: {
    parseRequest,
    requestHeaders: [],
    renderError,
    renderErrorFrame,
    // A blank line is no JSON value to the SDKs, so there is nothing to send into a silence.
    heartbeatFrame: new Uint8Array(0),
    streamType: 'application/x-ndjson',
  },
  upstream: {
    path: () => '/api/chat',
    headers: (apiKey) => (apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    answerHeaders: ['retry-after'],
    streamType: 'application/x-ndjson',
    createFramer: () => new NdjsonFramer(),
    renderRequest,
    parseAnswer(body) {
      const { usage, choices } = parseChatAnswer(parseJsonAnswer(body))
      return { usage, finishReasons: choices.map(({ finish }) => finish.native) }
    },
    createFrameReader: () => new OllamaFrameReader(),
    parseError,
  },
  chat: {
    parseGeneration,
    renderGeneration,
    parseChatAnswer,
    renderChatAnswer,
    createEventReader: () => new OllamaEventReader(),
    createFrameWriter: (context, losses) => new OllamaFrameWriter(context, losses),
  },
}
