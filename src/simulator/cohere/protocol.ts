import { cohereChat } from '../../protocols/cohere/cohere'
import { cohereEmbedCodec, cohereFirstEmbedCodec } from '../../protocols/embed/cohere-codec'
import { cohereRerankCodec } from '../../protocols/rerank/rerank'
import { embedEndpoint, rerankEndpoint } from '../codec-endpoint'
import type { Endpoint, Failure, FramePart, SimulatedProtocol } from '../protocol'
import { scriptedEndpoint, type ScriptedFormat } from '../scripted-endpoint'
import { sseText, type WireEvent } from '../wire-event'

const FORMAT: ScriptedFormat = {
  chat: cohereChat,
  style: { maker: 'other', idPrefix: 'cohere-sim-', callPrefix: 'call_sim_', signs: 'nothing' },
  partOf,
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/v2/chat': scriptedEndpoint(FORMAT),
  '/v2/embed': embedEndpoint(cohereEmbedCodec),
  '/v1/embed': embedEndpoint(cohereFirstEmbedCodec),
  '/v2/rerank': rerankEndpoint(cohereRerankCodec, 'units'),
}

/** Cohere's embeddings and rerank, and its chat, whole and streamed: https://docs.cohere.com/v2/reference/chat, …/reference/errors */
export const cohereProtocol: SimulatedProtocol = {
  endpoint: ({ pathname }) =>
    Object.hasOwn(ENDPOINTS, pathname) ? ENDPOINTS[pathname] : undefined,

  headers(requestNumber) {
    return {
      'x-debug-trace-id': errorId(requestNumber),
      'x-endpoint-monthly-call-limit': '1000',
      'x-trial-endpoint-call-limit': '40',
      'x-trial-endpoint-call-remaining': '39',
    }
  },

  renderError: ({ message }) => JSON.stringify({ id: errorId(0), message }),
  renderErrorFrame,
  streamType: 'text/event-stream; charset=utf-8',
  brokenFrame: 'event: content-delta\ndata: {"type":"content-delta",\n\n',
  keepAlive: ': keep-alive\n\n',
}

/** The model's own failure ends a stream as any other reason does. */
function renderErrorFrame({ message }: Failure): string {
  const delta = { finish_reason: 'ERROR', error: message }
  return sseText('message-end', { type: 'message-end', id: errorId(0), delta })
}

const CONTENT: ReadonlySet<string> = new Set([
  'content-delta',
  'tool-plan-delta',
  'tool-call-delta',
])

/** The last event is finish, usage and end mark at once. */
function partOf({ name = '' }: WireEvent): FramePart {
  if (name === 'message-end') return 'end'
  return CONTENT.has(name) ? 'content' : 'start'
}

function errorId(number: number): string {
  return `sim-${String(number).padStart(8, '0')}`
}
