import { SseFramer } from '../../std/sse'
import { AFFINITY_HINTS } from '../affinity-hints'
import type { Envelope, Operation } from '../envelope'
import type { ClientHalf, Protocol, UpstreamHalf } from '../protocol'
import { renderOpenaiLimits } from '../rate-limits'
import { parseCompletion } from './answer'
import { ANSWER_HEADERS } from './answer-headers'
import { parseError, renderError, renderErrorFrame } from './errors'
import { CompletionFrameReader } from './frames'
import { parseRequest, renderRequest } from './request'

/** How an endpoint of OpenAI's differs from its chat. */
export type OpenaiEndpoint = Pick<Protocol, 'name' | 'operation' | 'convert'> &
  Partial<Pick<ClientHalf, 'parseRequest' | 'parseForm'>> &
  Partial<Pick<UpstreamHalf, 'parseAnswer' | 'createFrameReader' | 'answers' | 'renderForm'>> & {
    /** Behind the version. */
    path: string
  }

/** OpenAI's endpoints share their request, error and stream shapes; they differ in what an answer holds. */
export function createOpenaiProtocol(endpoint: OpenaiEndpoint): Protocol {
  const { name, operation, path, answers, convert, parseForm, renderForm } = endpoint
  return {
    name,
    operation,
    client: {
      parseRequest: endpoint.parseRequest ?? toParser(operation),
      ...(parseForm && { parseForm }),
      renderError,
      renderErrorFrame,
      renderLimits: renderOpenaiLimits,
      requestHeaders: [
        'openai-beta',
        'idempotency-key',
        'http-referer',
        'x-title',
        ...AFFINITY_HINTS,
      ],
      heartbeatFrame: new TextEncoder().encode(': keep-alive\n\n'),
      streamType: 'text/event-stream; charset=utf-8',
    },
    upstream: {
      path: () => path,
      headers: (apiKey) => (apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      answerHeaders: ANSWER_HEADERS,
      streamType: 'text/event-stream',
      createFramer: () => new SseFramer(),
      renderRequest,
      parseAnswer: endpoint.parseAnswer ?? parseCompletion,
      createFrameReader:
        endpoint.createFrameReader ??
        ((envelope, changes) => new CompletionFrameReader(envelope, changes)),
      parseError,
      ...(answers && { answers }),
      ...(renderForm && { renderForm }),
    },
    ...(convert && { convert }),
  }
}

function toParser(operation: Operation): ClientHalf['parseRequest'] {
  return (body, route): Envelope => parseRequest(operation, body, route)
}
