import { countOf } from '../../std/record'
import type { CountCodec } from '../count-protocol'
import type { JsonObject } from '../json'
import { renderGeneration } from './generation'

/** What of a request's body counts. */
const COUNTED = [
  'model',
  'input',
  'instructions',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'truncation',
  'conversation',
  'previous_response_id',
] as const

/**
 * POST /v1/responses/input_tokens tells how many tokens a request would put in.
 * https://platform.openai.com/docs/api-reference/responses/input-tokens
 */
export const responsesInputTokens: CountCodec = {
  name: 'openai-input-tokens',
  path: () => '/responses/input_tokens',
  renderRequest(generation, target, losses) {
    const body = renderGeneration(generation, target, losses)
    const counted: JsonObject = {}
    for (const name of COUNTED) if (body[name] !== undefined) counted[name] = body[name]
    return counted
  },
  parse: (answer) => countOf(answer, 'input_tokens'),
  render: (tokens) => ({ object: 'response.input_tokens', input_tokens: tokens }),
}
