import type { WireFormat } from '../../src/config/provider-row'
import { isRecord } from '../../src/std/record'

/** What a host was sent. */
export type Sent = {
  path: string
  headers: Headers
  body: Record<string, unknown>
}

/** Where the simulator answers a format; it tells a model's name back, so any will do. */
function simulatedPath(format: WireFormat, isStream: boolean): string {
  switch (format) {
    case 'openai-chat':
      return '/v1/chat/completions'
    case 'openai-responses':
      return '/v1/responses'
    case 'openai-completions':
      return '/v1/completions'
    case 'openai-embeddings':
      return '/v1/embeddings'
    case 'anthropic-messages':
      return '/v1/messages'
    case 'gemini':
      return `/v1beta/models/sim-1:${isStream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`
    case 'bedrock-converse':
      return `/model/sim-1/converse${isStream ? '-stream' : ''}`
    case 'bedrock-invoke':
      return `/model/sim-1/invoke${isStream ? '-with-response-stream' : ''}`
    case 'cohere-chat':
      return '/v2/chat'
    case 'ollama-chat':
      return '/api/chat'
    case 'openai-moderations':
      return '/v1/moderations'
    case 'openai-images':
      return '/v1/images/generations'
    case 'openai-speech':
      return '/v1/audio/speech'
    case 'gemini-embed':
      return '/v1beta/models/sim-1:embedContent'
    case 'gemini-batch-embed':
      return '/v1beta/models/sim-1:batchEmbedContents'
    case 'gemini-batches':
      return '/v1beta/models/sim-1:batchGenerateContent'
    case 'gemini-predict':
      return '/v1beta/models/imagen-sim:predict'
    case 'bedrock-embed':
      return '/model/amazon.titan-embed-text-v2:0/invoke'
    case 'cohere-embed':
      return '/v2/embed'
    case 'cohere-embed-v1':
      return '/v1/embed'
    case 'cohere-rerank':
      return '/v2/rerank'
    case 'openai-transcriptions':
      return '/v1/audio/transcriptions'
    case 'openai-translations':
      return '/v1/audio/translations'
    case 'openai-image-edits':
      return '/v1/images/edits'
    case 'openai-image-variations':
      return '/v1/images/variations'
    case 'openai-files':
    case 'anthropic-files':
      return '/v1/files'
    case 'openai-batches':
      return '/v1/batches'
    case 'anthropic-batches':
      return '/v1/messages/batches'
    case 'jina-rerank':
    case 'voyage-rerank':
      return '/v1/rerank'
  }
}

/** What forms are answered, whether they ask for a text or an image. */
const FORM_ANSWER = {
  ...{ text: 'a tollgate', data: [{ b64_json: '' }] },
  usage: { type: 'tokens', input_tokens: 3, output_tokens: 4, total_tokens: 7 },
}

const isForm = ({ headers }: Request) =>
  headers.get('content-type')?.startsWith('multipart/form-data') === true

/** A host of any format at any path: notes what it is sent, and has the simulator answer it. */
export function startHost(simulatorUrl: string) {
  const next: { format: WireFormat; isStream: boolean; fault: string | undefined } = {
    ...{ format: 'openai-chat', isStream: false, fault: undefined },
  }
  let sent: Sent | undefined
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      if (isForm(request)) {
        const body = Object.fromEntries((await request.formData()).entries())
        sent = { path: pathname + search, headers: request.headers, body }
        return next.fault === undefined
          ? Response.json(FORM_ANSWER)
          : new Response('', { status: 429 })
      }
      const body: unknown = await request.json()
      if (!isRecord(body)) return new Response('no object', { status: 400 })
      sent = { path: pathname + search, headers: request.headers, body }
      return fetch(simulatorUrl + simulatedPath(next.format, next.isStream), {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'anthropic-version': '2023-06-01',
          ...(next.fault !== undefined && { 'x-sim': `fault=${next.fault}` }),
        },
        body: JSON.stringify(isInPath(next.format) ? body : { ...body, model: 'sim-1' }),
      })
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    /** How the next request is to be taken and answered. */
    expectFormat(format: WireFormat, isStream: boolean, fault?: string) {
      Object.assign(next, { format, isStream, fault })
      sent = undefined
    },
    sent: () => sent,
    stop: () => server.stop(true),
  }
}

function isInPath(format: WireFormat): boolean {
  return format === 'gemini' || format.startsWith('bedrock')
}
