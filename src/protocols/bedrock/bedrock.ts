import { anthropicMessages } from '../messages/messages'
import type { ChatHalves, ChatProtocol } from '../chat-protocol'
import { createCountProtocol } from '../count-protocol'
import type { ClientHalf, UpstreamHalf } from '../protocol'
import { parseChatAnswer, parseConverseAnswer, renderChatAnswer } from './chat-answer'
import { converseCount, parseCountRequest } from './count'
import { errorHeaders, parseError, renderError, renderErrorFrame } from './errors'
import { ConverseEventReader } from './event-reader'
import { EventStreamFramer } from './event-stream'
import { ConverseFrameWriter } from './frame-writer'
import { ConverseFrameReader } from './frames'
import { createInvokeHalves, parseInvokeAnswer } from './invoke'
import { InvokeFrameReader } from './invoke-frames'
import { parseGeneration } from './parse-request'
import { renderGeneration } from './render-request'
import { parseConverseRequest, parseInvokeRequest } from './request'

const STREAM_TYPE = 'application/vnd.amazon.eventstream'

/** What both of Bedrock's APIs do alike for a client. */
const CLIENT = {
  renderError: (error) => renderError(error),
  errorHeaders,
  requestIdHeader: 'x-amzn-requestid',
  renderErrorFrame: (error) => renderErrorFrame(error),
  // SDKs throw at a message that they don't know, so that there is nothing to send into a silence.
  heartbeatFrame: new Uint8Array(0),
  streamType: STREAM_TYPE,
} as const satisfies Omit<ClientHalf, 'parseRequest' | 'requestHeaders'>

/** And for an upstream. Credentials are Bedrock's own API keys: https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html */
const UPSTREAM = {
  headers: (apiKey) => (apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  streamType: STREAM_TYPE,
  createFramer: () => new EventStreamFramer(),
  // Model and stream stand in the path, and usage comes unasked.
  renderRequest: ({ body }) => body,
  parseError,
} as const satisfies Partial<UpstreamHalf>

/** How an answer was made, and what an error is. */
const ANSWER_HEADERS = [
  'retry-after',
  'x-amzn-errortype',
  'x-amzn-bedrock-content-type',
  'x-amzn-bedrock-performanceconfig-latency',
  'x-amzn-bedrock-service-tier',
  'x-amzn-bedrock-invocation-latency',
  'x-amzn-bedrock-input-token-count',
  'x-amzn-bedrock-output-token-count',
  'x-amzn-bedrock-cache-read-input-token-count',
  'x-amzn-bedrock-cache-write-input-token-count',
] as const

const chat: ChatHalves = {
  parseGeneration,
  renderGeneration,
  parseChatAnswer,
  renderChatAnswer: (answer, _context, losses) => renderChatAnswer(answer, losses),
  createEventReader: () => new ConverseEventReader(),
  createFrameWriter: (_context, losses) => new ConverseFrameWriter(losses),
}

/**
 * POST /model/{id}/converse and /model/{id}/converse-stream:
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
export const bedrockConverse: ChatProtocol = {
  name: 'bedrock-converse',
  dialect: 'bedrock-converse',
  operation: 'generate',
  client: { ...CLIENT, parseRequest: parseConverseRequest, requestHeaders: [] },
  upstream: {
    ...UPSTREAM,
    path: ({ model, stream }) =>
      `/model/${encodeURIComponent(model)}/${stream ? 'converse-stream' : 'converse'}`,
    answerHeaders: ANSWER_HEADERS,
    parseAnswer: parseConverseAnswer,
    createFrameReader: () => new ConverseFrameReader(),
  },
  chat,
}

/**
 * POST /model/{id}/invoke and /model/{id}/invoke-with-response-stream. To Bedrock the bodies of all families pass;
 * those of Anthropic's are told to other providers too.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
 */
export const bedrockInvoke: ChatProtocol = {
  name: 'bedrock-invoke',
  // Its bodies are no other format's, Anthropic's neither: none may be handed the client's bytes by this name.
  dialect: 'bedrock-converse',
  operation: 'generate',
  client: {
    ...CLIENT,
    parseRequest: parseInvokeRequest,
    requestHeaders: [
      'accept',
      'x-amzn-bedrock-accept',
      'x-amzn-bedrock-trace',
      'x-amzn-bedrock-guardrailidentifier',
      'x-amzn-bedrock-guardrailversion',
      'x-amzn-bedrock-performanceconfig-latency',
      'x-amzn-bedrock-request-metadata',
      'x-amzn-bedrock-service-tier',
    ],
  },
  upstream: {
    ...UPSTREAM,
    path: ({ model, stream }) =>
      `/model/${encodeURIComponent(model)}/${stream ? 'invoke-with-response-stream' : 'invoke'}`,
    answerHeaders: ANSWER_HEADERS,
    parseAnswer: parseInvokeAnswer,
    createFrameReader: () => new InvokeFrameReader(),
  },
  chat: createInvokeHalves(anthropicMessages.chat),
}

const count = createCountProtocol(bedrockConverse, converseCount)

/**
 * POST /model/{id}/count-tokens, of a conversation or of the body of an InvokeModel:
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
 */
export const bedrockCount: ChatProtocol = {
  ...count,
  chat: {
    ...count.chat,
    parseGeneration: (body, route) =>
      parseCountRequest(body, route, bedrockInvoke.chat.parseGeneration),
  },
}
