import { NdjsonFramer } from '../../protocols/ollama/ndjson'
import { ollamaChat } from '../../protocols/ollama/ollama'
import { CREATED_SECONDS } from '../created'
import { modelNames } from '../model-names'
import type { Endpoint, Failure, FramePart, SimulatedProtocol } from '../protocol'
import { scriptedEndpoint, type ScriptedFormat } from '../scripted-endpoint'
import { parseObject, type WireEvent } from '../wire-event'

const encoder = new TextEncoder()

const FORMAT: ScriptedFormat = {
  chat: ollamaChat,
  style: { maker: 'other', idPrefix: 'ollama-sim-', callPrefix: 'call_sim_', signs: 'nothing' },
  split: (written) =>
    new NdjsonFramer().push(written).map(({ data }) => ({
      name: undefined,
      raw: encoder.encode(`${data}\n`),
      json: parseObject(data),
      render: (json) => encoder.encode(`${JSON.stringify(json)}\n`),
    })),
  partOf,
}

const CHAT = scriptedEndpoint(FORMAT)

const TAGS: Endpoint = {
  method: 'GET',
  model: () => '',
  answer: () => {
    const modified_at = new Date(CREATED_SECONDS * 1000).toISOString()
    const models = modelNames().map((name) => ({
      name,
      model: name,
      modified_at,
      size: 0,
      digest: '0'.repeat(64),
      details: {
        parent_model: '',
        format: 'gguf',
        family: 'sim',
        families: ['sim'],
        parameter_size: '1B',
        quantization_level: 'F16',
      },
    }))
    return { kind: 'whole', text: JSON.stringify({ models }), tokens: 0 }
  },
}

/** Ollama's own API, whole and streamed as lines: https://docs.ollama.com/api/chat, …/api/tags, …/api/errors */
export const ollamaProtocol: SimulatedProtocol = {
  endpoint({ pathname }) {
    if (pathname === '/api/chat') return CHAT
    return pathname === '/api/tags' ? TAGS : undefined
  },
  headers: () => ({}),
  renderError,
  renderErrorFrame: (failure) => `${renderError(failure)}\n`,
  streamType: 'application/x-ndjson',
  brokenFrame: '{"model":"sim-1","message":\n',
  keepAlive: '\n',
}

function renderError({ message }: Failure): string {
  return JSON.stringify({ error: message })
}

/** The last line is finish, usage and end mark at once. */
function partOf({ json }: WireEvent): FramePart {
  return json?.done === true ? 'end' : 'content'
}
