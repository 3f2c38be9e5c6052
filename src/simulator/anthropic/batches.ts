import { isRecord, stringOf } from '../../std/record'
import type { Answer, Asked, Endpoint } from '../protocol'
import { refused } from '../scripted-endpoint'

const PATH = /^\/v1\/messages\/batches(?:\/([^/]+)(\/cancel|\/results)?)?$/

/**
 * `/v1/messages/batches`: each request is answered by the endpoint of messages. A batch has ended at the second look.
 * https://docs.claude.com/en/api/creating-message-batches
 */
export function findMessageBatches(
  { pathname, method }: Asked,
  messages: Endpoint
): Endpoint | undefined {
  const [found, id, rest] = PATH.exec(pathname) ?? []
  if (found === undefined) return undefined
  if (id === undefined) return { method: 'POST', model: () => '', answer: make(messages) }
  const wanted = rest === '/cancel' ? 'POST' : method === 'DELETE' ? 'DELETE' : 'GET'
  return {
    method: wanted,
    model: () => '',
    answer({ objects, credential }) {
      const batch = objects.batch(id, credential)
      if (batch === undefined) {
        const message = `No batch '${id}'`
        return { kind: 'refused', failure: { status: 404, code: 'not_found_error', message } }
      }
      if (rest === '/results')
        return { kind: 'file', bytes: Buffer.from(batch.results), type: 'application/x-jsonl' }
      if (wanted === 'DELETE') return whole({ id, type: 'message_batch_deleted' })
      const at = Math.min(batch.looks++, batch.states.length - 1)
      return whole(batch.states[at] ?? {})
    },
  }
}

function make(messages: Endpoint): Endpoint['answer'] {
  return (call) => {
    const requests = isRecord(call.body) ? call.body.requests : undefined
    if (!Array.isArray(requests)) return refused('requests: a list is needed', 'requests')
    const lines = requests.map((request) => {
      const params = isRecord(request) ? request.params : undefined
      const model = stringOf(params, 'model') ?? ''
      const answer = messages.answer({ ...call, body: params, model })
      const message = answer.kind === 'whole' ? JSON.parse(answer.text) : { usage: {} }
      const result = { type: 'succeeded', message }
      return JSON.stringify({ custom_id: stringOf(request, 'custom_id'), result })
    })
    const id = `msgbatch_${crypto.randomUUID().replaceAll('-', '')}`
    const head = {
      ...{ id, type: 'message_batch', created_at: '2026-01-01T00:00:00Z', results_url: null },
      ...{ expires_at: '2026-01-02T00:00:00Z', archived_at: null, cancel_initiated_at: null },
      request_counts: {
        ...{ processing: requests.length, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
      },
    }
    const processing = { ...head, processing_status: 'in_progress', ended_at: null }
    const ended = {
      ...{ ...head, processing_status: 'ended', ended_at: '2026-01-01T00:01:00Z' },
      results_url: `https://api.anthropic.com/v1/messages/batches/${id}/results`,
      request_counts: {
        ...{ processing: 0, succeeded: requests.length, errored: 0, canceled: 0, expired: 0 },
      },
    }
    const { credential } = call
    call.objects.addBatch({
      ...{ id, credential, states: [processing, ended], results: lines.join('\n'), looks: 0 },
    })
    return whole(processing)
  }
}

const whole = (body: object): Answer => ({ kind: 'whole', text: JSON.stringify(body), tokens: 1 })
