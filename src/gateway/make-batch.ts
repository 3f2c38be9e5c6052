import { z } from 'zod'
import type { OwnedObject } from '../db/owned-objects'
import { GatewayError } from '../errors/gateway-error'
import type { GovernedRequest } from '../ledger/governor'
import type { Envelope } from '../protocols/envelope'
import { addBatchRequest, type BatchInput, type BatchModel } from '../protocols/objects/batch-lines'
import { isRecord, recordOf, stringOf } from '../std/record'
import type { Target } from '../routing/target'
import type { ClientCall } from './client-call'
import type { Exchange } from './exchange'
import type { Answer, GatewayParts } from './gateway-parts'
import { findOwn } from './owned-objects'
import { answerWithOwnResults } from './results-address'
import { ownResults, settleBatch } from './settle-batch'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** What is kept of a file beside what its provider says of it. */
const fileSchema = z.object({
  batch: z
    .object({
      models: z.array(
        z.object({
          ...{ model: z.string(), requests: z.number(), inputTokens: z.number() },
          ...{ outputTokens: z.number(), unlimited: z.number() },
        })
      ),
      problem: z.string().optional(),
    })
    .optional(),
})

/** What a batch is to be made of, and where. */
type Batch = { readonly target: Target; readonly input: BatchModel; readonly body: Uint8Array }

/**
 * Makes a batch: its worst case is held before it is asked for, and stays held until its usage is known. Throws what a
 * limit refuses, `model_not_allowed`, and `invalid_request` for what can't be one.
 */
export async function makeBatch(
  parts: GatewayParts,
  exchange: Exchange,
  envelope: Envelope,
  { request, call }: { request: GovernedRequest; call: ClientCall }
): Promise<Answer> {
  const body = parseBody(envelope.body)
  const { model } = call.route
  const batch =
    model === undefined
      ? await readBatch(parts, exchange, body)
      : readGemini(parts, exchange, body, model)
  const { target, input, body: sent } = batch
  const preparing = parts.governor.prepare(request, [target])
  if (preparing) await preparing
  exchange.admit(request)
  const { direct } = envelope
  const ceiling = target.card?.maxOutputTokens ?? UNKNOWN_OUTPUT_TOKENS
  const stated = exchange.restate({
    ...envelope,
    ...(direct && {
      direct: {
        ...{ ...direct, isCharged: true },
        ...(model !== undefined && { path: geminiPath(target.upstreamModel) }),
      },
    }),
    model: target.name,
    inputTokens: input.inputTokens,
    outputLimit: input.outputTokens + input.unlimited * ceiling,
    body: sent,
  })
  const whole = await exchange.turn(stated, exchange.pin(target))
  if (whole.kind === 'stream') throw new Error('a batch was answered with a stream')
  const said = readAnswer(whole.body)
  const id = stringOf(said, 'id') ?? stringOf(said, 'name')?.replace(/^batches\//, '')
  if (id === undefined)
    throw new GatewayError('upstream_malformed', 'the provider made a batch without an id')
  const { record } = exchange
  parts.log.own({
    ...{ kind: 'batch', id, keyId: exchange.caller?.id, provider: target.provider.name },
    ...{ credential: record.target?.provider.credentialName, model: target.name },
    ...{ requestId: record.id, createdAtMs: Date.now(), data: JSON.stringify({ object: said }) },
  })
  record.deferredAs = id
  return exchange.answer(answerWithOwnResults(whole, said, call))
}

/** Where neither the requests nor any list says how long an answer may be. */
const UNKNOWN_OUTPUT_TOKENS = 65_536

function readBatch(
  parts: GatewayParts,
  exchange: Exchange,
  body: Record<string, unknown>
): Batch | Promise<Batch> {
  if (Array.isArray(body.requests)) return readInline(parts, exchange, body)
  return readFile(parts, exchange, body)
}

/** OpenAI's: the requests stand in a file. */
async function readFile(
  parts: GatewayParts,
  { caller }: Exchange,
  body: Record<string, unknown>
): Promise<Batch> {
  const fileId = stringOf(body, 'input_file_id')
  if (fileId === undefined)
    throw invalid('input_file_id', 'must be the id of a file that was uploaded for it')
  const file = await findOwn(parts, 'file', fileId, caller)
  const { batch } = fileSchema.parse(JSON.parse(file.data ?? '{}'))
  if (batch === undefined)
    throw invalid('input_file_id', "must be of a file that was uploaded with the purpose 'batch'")
  const target = targetFor(parts, caller, file.provider, batch, 'input_file_id')
  const { credential } = file
  const kept =
    credential === undefined
      ? target.target
      : { ...target.target, mayUseCredential: (one: string) => one === credential }
  return { ...target, target: kept, body: encoder.encode(JSON.stringify(body)) }
}

/** Anthropic's: the requests stand in the body, each with the name of its model. */
function readInline(
  parts: GatewayParts,
  { caller }: Exchange,
  body: Record<string, unknown>
): Batch {
  const models = new Map<string, BatchModel>()
  const requests: unknown[] = Array.isArray(body.requests) ? body.requests : []
  let provider: string | undefined
  for (const [at, request] of requests.entries()) {
    const params = isRecord(request) ? request.params : undefined
    const name = stringOf(params, 'model')
    if (!isRecord(params) || name === undefined)
      throw invalid(`requests.${at}.params.model`, 'must be the name of a model')
    const target = parts.resolve(name)
    if (!parts.mayUse(caller, target.name)) throw notAllowed(target.name)
    provider ??= target.provider.name
    if (provider !== target.provider.name)
      throw invalid(
        `requests.${at}.params.model`,
        `must be a model of '${provider}', as the first is`
      )
    params.model = target.upstreamModel
    addBatchRequest(models, params, Buffer.byteLength(JSON.stringify(params)))
  }
  if (provider === undefined) throw invalid('requests', 'must be a list of requests')
  const found = targetFor(parts, caller, provider, { models: [...models.values()] }, 'requests')
  return { ...found, body: encoder.encode(JSON.stringify(body)) }
}

const geminiPath = (model: string) => `/models/${encodeURIComponent(model)}:batchGenerateContent`

/** Google's: the path says the model, the body has the requests. */
function readGemini(
  parts: GatewayParts,
  { caller }: Exchange,
  body: Record<string, unknown>,
  model: string
): Batch {
  const batch = recordOf(body, 'batch')
  const config = recordOf(batch, 'inputConfig') ?? recordOf(batch, 'input_config')
  const inlined = recordOf(config, 'requests')?.requests
  if (!Array.isArray(inlined))
    throw invalid(
      'batch.inputConfig',
      'must hold its requests: files of this API are kept by nobody here'
    )
  const target = parts.resolve(model)
  const models = new Map<string, BatchModel>()
  for (const item of inlined) {
    const request = isRecord(item) ? item.request : undefined
    const named = { ...(isRecord(request) && request), model: target.upstreamModel }
    addBatchRequest(models, named, Buffer.byteLength(JSON.stringify(named)))
    if (isRecord(request) && 'model' in request) request.model = `models/${target.upstreamModel}`
  }
  const { name } = target.provider
  const found = targetFor(parts, caller, name, { models: [...models.values()] }, 'batch')
  return { ...found, body: encoder.encode(JSON.stringify(body)) }
}

/** Of several models the whole is taken to be of the dearest: then what is held is enough. */
function targetFor(
  parts: GatewayParts,
  caller: Exchange['caller'],
  provider: string,
  { models, problem }: BatchInput,
  param: string
): { target: Target; input: BatchModel } {
  if (problem !== undefined) throw invalid(param, `can't be the input of a batch: ${problem}`)
  let found: { target: Target; rate: number } | undefined
  const sum = { requests: 0, inputTokens: 0, outputTokens: 0, unlimited: 0 }
  for (const one of models) {
    const target = parts.resolve(`${provider}/${one.model}`)
    if (!parts.mayUse(caller, target.name)) throw notAllowed(target.name)
    const { input = 0, output = 0 } = target.card?.price?.rates ?? {}
    const rate = target.card?.price === undefined ? Infinity : input + output
    if (found === undefined || rate > found.rate) found = { target, rate }
    sum.requests += one.requests
    sum.inputTokens += one.inputTokens
    sum.outputTokens += one.outputTokens
    sum.unlimited += one.unlimited
  }
  if (found === undefined) throw invalid(param, 'has no requests')
  return { target: found.target, input: { model: found.target.name, ...sum } }
}

/** Keeps what the provider says of a batch, and settles one that is done. */
export function noteBatch(
  parts: GatewayParts,
  owned: OwnedObject,
  said: Record<string, unknown>
): void {
  const noted = { ...owned, data: JSON.stringify({ object: said }) }
  parts.log.own(noted)
  ownResults(parts, noted, said)
  settleBatch(parts, noted, said).catch((error: unknown) => parts.report(owned.requestId, error))
}

function readAnswer(body: Uint8Array): Record<string, unknown> {
  try {
    return parseBody(body)
  } catch {
    throw new GatewayError('upstream_malformed', 'the provider answered with what is no batch')
  }
}

function parseBody(body: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(decoder.decode(body))
    if (isRecord(value)) return value
  } catch {
    // The same as of what is no object.
  }
  throw new GatewayError('invalid_json', 'the body is not a JSON object')
}

function notAllowed(model: string): GatewayError {
  return new GatewayError('model_not_allowed', `this key may not use the model '${model}'`, {
    param: 'model',
  })
}

function invalid(param: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `'${param}' ${what}`, { param })
}
