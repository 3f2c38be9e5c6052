import { addUsage, type Usage } from '../../protocols/usage'
import { toUsage } from '../../protocols/openai/usage'
import { isRecord, recordOf, stringOf } from '../../std/record'
import { CREATED_SECONDS } from '../created'
import type { Answer, Asked, Call, Endpoint } from '../protocol'
import { refuse } from './endpoint'

const PATH = /^\/v1\/batches(?:\/([^/]+)(\/cancel)?)?$/

/**
 * `/v1/batches`: each line of the input file is answered by the endpoint of its path. A batch is done at the second look.
 * https://platform.openai.com/docs/api-reference/batch
 */
export function findBatches(
  { pathname, method }: Asked,
  endpointOf: (pathname: string) => Endpoint | undefined
): Endpoint | undefined {
  const [found, id, cancel] = PATH.exec(pathname) ?? []
  if (found === undefined) return undefined
  if (id === undefined)
    return method === 'POST' ? { ...NAMELESS, answer: (call) => make(call, endpointOf) } : undefined
  return {
    ...NAMELESS,
    method: cancel === undefined ? 'GET' : 'POST',
    answer({ objects, credential }) {
      const batch = objects.batch(id, credential)
      if (batch === undefined) return unknown(id)
      const at = Math.min(batch.looks++, batch.states.length - 1)
      return whole(cancel ? { ...batch.states[0], status: 'cancelling' } : (batch.states[at] ?? {}))
    },
  }
}

const NAMELESS = { method: 'POST', model: () => '' } as const

function make(call: Call, endpointOf: (pathname: string) => Endpoint | undefined): Answer {
  const { objects, credential, body } = call
  const input = objects.file(stringOf(body, 'input_file_id') ?? '', credential)
  if (input === undefined) return refuse('No such input file.', 'input_file_id')
  const lines = new TextDecoder()
    .decode(input.bytes)
    .split('\n')
    .filter((line) => line.trim() !== '')
  let usage: Usage | undefined
  let model: string | undefined
  const outputs = lines.map((line, at) => {
    const request: unknown = JSON.parse(line)
    const asked = recordOf(request, 'body')
    model ??= stringOf(asked, 'model')
    const answered = answerLine(call, endpointOf(stringOf(request, 'url') ?? ''), asked)
    const told = toUsage(recordOf(answered, 'usage'))
    if (told) usage = addUsage(usage, told)
    const response = { status_code: 200, request_id: `r${at}`, body: answered }
    return {
      id: `batch_req_${at}`,
      custom_id: stringOf(request, 'custom_id'),
      response,
      error: null,
    }
  })
  const output = objects.addFile({
    ...{ credential, filename: 'output.jsonl', purpose: 'batch_output' },
    bytes: Buffer.from(outputs.map((line) => JSON.stringify(line)).join('\n')),
  })
  const id = `batch_${crypto.randomUUID().replaceAll('-', '')}`
  const head = {
    ...{ id, object: 'batch', endpoint: stringOf(body, 'endpoint'), errors: null, model },
    ...{ input_file_id: input.id, completion_window: '24h', created_at: CREATED_SECONDS },
    metadata: isRecord(body) ? body.metadata : null,
    request_counts: { total: lines.length, completed: 0, failed: 0 },
  }
  const isCounted = stringOf(recordOf(body, 'metadata'), 'usage') !== 'omitted'
  const done = {
    ...{ ...head, status: 'completed', output_file_id: output.id },
    request_counts: { total: lines.length, completed: lines.length, failed: 0 },
    ...(isCounted && usage && { usage: renderUsage(usage) }),
  }
  const states = [{ ...head, status: 'in_progress' }, done]
  objects.addBatch({ id, credential, states, results: '', looks: 0 })
  return whole({ ...head, status: 'validating' })
}

function answerLine(call: Call, endpoint: Endpoint | undefined, body: unknown): unknown {
  if (endpoint === undefined || !isRecord(body)) return { error: { message: 'unknown url' } }
  const model = stringOf(body, 'model') ?? ''
  const parsed = JSON.parse(JSON.stringify(body))
  const answer = endpoint.answer({ ...call, body: parsed, model })
  return answer.kind === 'whole' ? JSON.parse(answer.text) : { error: { message: 'not whole' } }
}

function renderUsage({ inputTokens = 0, outputTokens = 0 }: Usage) {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens,
  }
}

function unknown(id: string): Answer {
  const message = `No batch found with id '${id}'.`
  return { kind: 'refused', failure: { status: 404, code: null, message, param: 'id' } }
}

const whole = (body: object): Answer => ({ kind: 'whole', text: JSON.stringify(body), tokens: 1 })
