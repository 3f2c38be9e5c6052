import { countJsonElements, endOfJsonValue, walkJsonObject } from '../../std/json-walk'
import { readJsonCount } from '../../std/json-scan'
import type { Envelope } from '../envelope'
import { scanAnswer } from '../openai/answer'
import { invalid, scanMembers } from '../openai/request'
import type { AnswerFacts, Protocol, RequestRoute } from '../protocol'
import { NO_USAGE } from '../usage'
import { gemini } from './gemini'
import { renderPath } from './request'

/** What Imagen makes where nobody says how many. */
const STANDARD_COUNT = 4

/** POST models/NAME:predict of what makes images: https://ai.google.dev/gemini-api/docs/imagen */
export const geminiPredict: Protocol = {
  name: 'gemini-predict',
  operation: 'image',
  client: { ...gemini.client, parseRequest },
  upstream: {
    ...gemini.upstream,
    path: ({ model, baseUrl }) => renderPath('predict', model, baseUrl),
    renderRequest: ({ body }) => body,
    parseAnswer,
  },
}

function parseRequest(body: Uint8Array, { model }: RequestRoute): Envelope {
  const { found, closeAt } = scanMembers(body, ['parameters', 'instances'])
  if (!model) throw invalid('model', 'must stand in the path, e.g. "models/NAME:predict"')
  let count = STANDARD_COUNT
  if (found.parameters)
    walkJsonObject(body, found.parameters.start, ['sampleCount', 'sample_count'], (_, start) => {
      count = readJsonCount(body, { start, end: endOfJsonValue(body, start) }) ?? count
      return true
    })
  const prompts = found.instances ? countJsonElements(body, found.instances.start) : 1
  return {
    operation: 'image',
    model,
    stream: false,
    includesUsage: true,
    choices: 1,
    outputLimit: 0,
    units: { images: count * Math.max(1, prompts) },
    body,
    modelSpan: undefined,
    streamOptionsSpan: undefined,
    closeAt,
  }
}

/** What was filtered out is not billed, and leaves no prediction. */
function parseAnswer(body: Uint8Array): AnswerFacts {
  const { predictions } = scanAnswer(body, ['predictions'], false)
  const images = predictions ? countJsonElements(body, predictions.start) : 0
  return { usage: { ...NO_USAGE, images }, finishReasons: [] }
}
