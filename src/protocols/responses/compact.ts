import { readJsonString } from '../../std/json-scan'
import { scanAnswer } from '../openai/answer'
import type { Protocol } from '../protocol'
import { openaiResponses } from './responses'
import { toUsage } from './usage'

const decoder = new TextDecoder()

/**
 * POST /v1/responses/compact, of hosts that speak Responses: a conversation, made shorter for its own model.
 * https://platform.openai.com/docs/api-reference/responses/compact
 */
export const responsesCompact: Protocol = {
  name: 'openai-responses-compact',
  spokenBy: openaiResponses.name,
  operation: 'generate',
  client: {
    ...openaiResponses.client,
    parseRequest: (body, route) => ({
      ...openaiResponses.client.parseRequest(body, route),
      stream: false,
    }),
  },
  upstream: {
    ...openaiResponses.upstream,
    path: () => '/responses/compact',
    parseAnswer(body) {
      const { id, usage } = scanAnswer(body, ['output', 'id', 'usage'])
      const read: unknown =
        usage && JSON.parse(decoder.decode(body.subarray(usage.start, usage.end)))
      return { usage: toUsage(read), finishReasons: [], id: id && readJsonString(body, id) }
    },
  },
}
