import { openaiResponses } from '../../protocols/responses/responses'
import { openaiProtocol } from '../openai/protocol'
import { promptTokens } from '../prompt-tokens'
import type { Endpoint, Failure, FramePart, SimulatedProtocol } from '../protocol'
import { readingEndpoint, scriptedEndpoint, type ScriptedFormat } from '../scripted-endpoint'
import { sseText, type WireEvent } from '../wire-event'

const FORMAT: ScriptedFormat = {
  chat: openaiResponses,
  style: {
    maker: 'openai',
    idPrefix: 'resp_sim_',
    callPrefix: 'call_sim_',
    signs: 'nothing',
  },
  partOf,
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/v1/responses': scriptedEndpoint(FORMAT),
  '/v1/responses/input_tokens': readingEndpoint(FORMAT, {}, (generation) => {
    const count = { object: 'response.input_tokens', input_tokens: promptTokens(generation) }
    return { kind: 'whole', text: JSON.stringify(count), tokens: 0 }
  }),
}

/**
 * OpenAI's Responses: answers, whole and streamed, and the count of a request's tokens.
 * https://developers.openai.com/api/reference/resources/responses
 */
export const responsesProtocol: SimulatedProtocol = {
  ...openaiProtocol,
  endpoint: ({ pathname }) =>
    Object.hasOwn(ENDPOINTS, pathname) ? ENDPOINTS[pathname] : undefined,
  renderErrorFrame,
  brokenFrame: 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",\n\n',
}

function renderErrorFrame({ code, message, param }: Failure): string {
  const error = { type: 'error', code, message, param: param ?? null, sequence_number: 0 }
  return sseText('error', error)
}

const TERMINAL = ['response.completed', 'response.incomplete', 'response.failed']

/** The terminal event is finish, usage and end mark at once. */
function partOf({ name = '' }: WireEvent): FramePart {
  if (TERMINAL.includes(name)) return 'end'
  return name.endsWith('.delta') ? 'content' : 'start'
}
