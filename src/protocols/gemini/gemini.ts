import { SseFramer } from '../../std/sse'
import type { ChatHalves, ChatProtocol } from '../chat-protocol'
import type { ClientHalf } from '../protocol'
import { parseAnswer } from './answer'
import { parseChatAnswer } from './answer-parse'
import { renderChatAnswer } from './answer-render'
import { parseError, renderError, renderErrorLine } from './errors'
import { GeminiEventReader } from './events'
import { GeminiFrameReader } from './frames'
import { ArrayFraming, ArrayReframer, SseFraming } from './framing'
import { parseRequest, renderPath, renderRequest } from './request'
import { parseGeneration } from './request-parse'
import { renderGeneration } from './request-render'
import { GeminiFrameWriter } from './writer'

const encoder = new TextEncoder()

const client: ClientHalf = {
  parseRequest,
  // `x-goog-api-client` and `x-goog-user-project` speak of the client's own account.
  requestHeaders: [],
  renderError,
  renderErrorFrame: (error, requestId) =>
    encoder.encode(`data: ${renderErrorLine(error, requestId)}\n\n`),
  // Comments break Google's SDKs for Python and Go, and blank lines its first one for JavaScript, which LangChain
  // uses; a frame of its own would be seen by the user.
  heartbeatFrame: new Uint8Array(0),
  streamType: 'text/event-stream; charset=utf-8',
}

const chat: ChatHalves = {
  parseGeneration,
  renderGeneration,
  parseChatAnswer,
  renderChatAnswer,
  createEventReader: () => new GeminiEventReader(),
  createFrameWriter: (context, losses) => new GeminiFrameWriter(context, losses, new SseFraming()),
}

/**
 * POST models/NAME:generateContent and :streamGenerateContent?alt=sse, at Google AI Studio and Vertex AI:
 * https://ai.google.dev/api/generate-content
 */
export const gemini: ChatProtocol = {
  name: 'gemini',
  operation: 'generate',
  dialect: 'gemini',
  client,
  upstream: {
    path: ({ model, stream, baseUrl }) =>
      renderPath(stream ? 'streamGenerateContent' : 'generateContent', model, baseUrl),
    headers: (apiKey) => (apiKey === undefined ? {} : { 'x-goog-api-key': apiKey }),
    answerHeaders: ['retry-after'],
    streamType: 'text/event-stream',
    createFramer: () => new SseFramer(),
    renderRequest,
    parseAnswer,
    createFrameReader: () => new GeminiFrameReader(),
    parseError,
  },
  chat,
}

/**
 * The same for clients that don't say `alt=sse`: their streams are one JSON list. An error is its last element, and the
 * closing bracket is left out behind it, so that a client that reads the list as a whole raises too.
 */
export const geminiArray: ChatProtocol = {
  ...gemini,
  name: 'gemini-array',
  client: {
    ...client,
    reframes: 'gemini',
    createReframer: () => new ArrayReframer(),
    // The list may not have begun: then the comma is one more reason to raise.
    renderErrorFrame: (error, requestId) =>
      encoder.encode(`,\n${renderErrorLine(error, requestId)}\n`),
    heartbeatFrame: encoder.encode('\n'),
    streamType: 'application/json; charset=utf-8',
  },
  chat: {
    ...chat,
    createFrameWriter: (context, losses) =>
      new GeminiFrameWriter(context, losses, new ArrayFraming()),
  },
}
