import type { Lab } from './lab'
import { LANES, type Lane } from './lanes'

/** A request as each tool sends it. */
export type Call = { url: string; key: string; body: string }

const MESSAGES = [
  { role: 'system', content: 'You are a helpful assistant that answers briefly.' },
  { role: 'user', content: 'Explain RAG architecture.' },
]

/** A chat completion's body of about 250 bytes. */
export function chatBody(model: string, stream: boolean): string {
  const settings = { temperature: 0.7, max_tokens: 256, ...(stream && { stream }) }
  return JSON.stringify({ model, messages: MESSAGES, ...settings })
}

/** A request to the gateway for a model named `provider/model`. */
export function gatewayCall(lab: Lab, key: string, model: string, stream: boolean): Call {
  return {
    url: `http://127.0.0.1:${lab.ports.gateway}/v1/chat/completions`,
    key,
    body: chatBody(model, stream),
  }
}

/** A request straight to the upstream, or to what passes every path on to it. */
export function laneCall(origin: string, lane: Lane): Call {
  return {
    url: `${origin}${LANES[lane]}/v1/chat/completions`,
    key: 'none',
    body: chatBody('gpt-4o-mini', lane === 'sse'),
  }
}

/** Sends the request by fetch; `signal` aborts when this client is to leave. */
export function send({ url, key, body }: Call, signal?: AbortSignal): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body,
    ...(signal && { signal }),
  })
}

/** Whether a stream has come to its own end, told by its last frame. */
export function isWholeStream(text: string): boolean {
  return text.endsWith('data: [DONE]\n\n')
}
