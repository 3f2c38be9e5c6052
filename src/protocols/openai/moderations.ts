import type { Protocol } from '../protocol'
import { NO_USAGE } from '../usage'
import { scanAnswer } from './answer'
import { createOpenaiProtocol } from './openai-protocol'
import { parseRequest, scanMembers } from './request'

/** What OpenAI takes where no model is named. */
const STANDARD_MODEL = 'omni-moderation-latest'

/**
 * POST /v1/moderations, also at Mistral: https://platform.openai.com/docs/api-reference/moderations/create,
 * https://docs.mistral.ai/api/endpoint/classifiers
 */
export const openaiModerations: Protocol = createOpenaiProtocol({
  name: 'openai-moderations',
  operation: 'moderate',
  path: '/moderations',
  parseRequest(body, route) {
    const { found } = scanMembers(body, ['model'])
    const model = found.model ? route.model : (route.model ?? STANDARD_MODEL)
    return { ...parseRequest('moderate', body, { ...route, model }), units: {} }
  },
  parseAnswer(body) {
    scanAnswer(body, ['results'])
    return { usage: { ...NO_USAGE, requests: 1 }, finishReasons: [] }
  },
})
