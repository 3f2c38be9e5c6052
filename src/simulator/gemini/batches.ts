import { isRecord, recordOf } from '../../std/record'
import { decodeName } from '../model-names'
import type { Answer, Asked, Endpoint } from '../protocol'
import { refused } from '../scripted-endpoint'

const MAKE = /^\/v1beta\/models\/(.+):batchGenerateContent$/
const PATH = /^\/v1beta\/batches\/([^/:]+)(:cancel)?$/

/**
 * Batches with their requests in the body: each is answered by the endpoint of its model. A batch is done at the second
 * look. https://ai.google.dev/gemini-api/docs/batch-api
 */
export function findGeminiBatches(
  { pathname, method }: Asked,
  answering: (model: string) => Endpoint
): Endpoint | undefined {
  const [, name] = MAKE.exec(pathname) ?? []
  if (name !== undefined) return making(decodeName(name), answering)
  const [found, id = '', cancel] = PATH.exec(pathname) ?? []
  if (found === undefined) return undefined
  const wanted = cancel ? 'POST' : method === 'DELETE' ? 'DELETE' : 'GET'
  return {
    method: wanted,
    model: () => '',
    answer({ objects, credential }) {
      const batch = objects.batch(id, credential)
      if (batch === undefined)
        return { kind: 'refused', failure: { status: 404, code: null, message: `No batch ${id}` } }
      if (wanted !== 'GET') return whole({})
      const at = Math.min(batch.looks++, batch.states.length - 1)
      return whole(batch.states[at] ?? {})
    },
  }
}

function making(model: string, answering: (model: string) => Endpoint): Endpoint {
  return {
    method: 'POST',
    model: () => model,
    answer(call) {
      const config = recordOf(recordOf(call.body, 'batch'), 'inputConfig')
      const requests = recordOf(config, 'requests')?.requests
      if (!Array.isArray(requests)) return refused('No requests.', 'batch')
      const answers = requests.map((item) => {
        const request = JSON.parse(JSON.stringify(isRecord(item) ? (item.request ?? {}) : {}))
        const answer = answering(model).answer({ ...call, body: request, model })
        return { response: answer.kind === 'whole' ? JSON.parse(answer.text) : {} }
      })
      const id = crypto.randomUUID().replaceAll('-', '')
      const head = (state: string) => ({
        name: `batches/${id}`,
        metadata: {
          '@type': 'type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch',
          ...{ name: `batches/${id}`, model: `models/${model}`, state },
          ...{ createTime: '2026-01-01T00:00:00Z', updateTime: '2026-01-01T00:00:00Z' },
        },
      })
      const output = { inlinedResponses: { inlinedResponses: answers } }
      const { metadata, ...named } = head('BATCH_STATE_SUCCEEDED')
      const done = { ...named, metadata: { ...metadata, output }, done: true, response: output }
      const states = [head('BATCH_STATE_RUNNING'), done]
      call.objects.addBatch({ id, credential: call.credential, states, results: '', looks: 0 })
      return whole(head('BATCH_STATE_PENDING'))
    },
  }
}

const whole = (body: object): Answer => ({ kind: 'whole', text: JSON.stringify(body), tokens: 1 })
