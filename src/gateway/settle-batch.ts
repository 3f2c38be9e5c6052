import type { OwnedObject } from '../db/owned-objects'
import { GatewayError } from '../errors/gateway-error'
import type { ModelCard } from '../models/model-card'
import { priceUsage } from '../pricing/price-usage'
import { parseUsage as toAnthropicUsage } from '../protocols/messages/usage'
import { toUsage as toGeminiUsage } from '../protocols/gemini/usage'
import { toUsage as toOpenaiUsage } from '../protocols/openai/usage'
import { toUsage as toResponsesUsage } from '../protocols/responses/usage'
import { addUsage, type Usage } from '../protocols/usage'
import { Deadlines } from '../providers/deadlines'
import { readWholeBody } from '../providers/read-body'
import { piecesOf, type UpstreamResponse } from '../providers/upstream-response'
import { isRecord, recordOf, stringOf } from '../std/record'
import type { Settlement } from '../telemetry/records'
import type { GatewayParts } from './gateway-parts'
import { targetOf } from './owned-objects'

const DEADLINES = {
  connectMs: 10_000,
  firstByteMs: 60_000,
  betweenFramesMs: 60_000,
  totalMs: 600_000,
}
const MAX_RESULT_BYTES = 4 * 1024 * 1024 * 1024
const MAX_STATE_BYTES = 4 * 1024 * 1024

/** A batch of OpenAI's is in one of these for good. */
const GEMINI_ENDED = /_(SUCCEEDED|FAILED|CANCELLED|EXPIRED)$/

const ENDED = new Set(['completed', 'failed', 'expired', 'cancelled'])

/**
 * Books what a batch came to, once it has ended: by what the provider says of it, or by adding up its results. Does
 * nothing before, or when it is booked already. Rejects with what keeps the results from being read; then all is as
 * before.
 */
export async function settleBatch(
  parts: GatewayParts,
  owned: OwnedObject,
  said: Record<string, unknown>
): Promise<void> {
  const isAnthropic = said.type === 'message_batch'
  const state = stringOf(recordOf(said, 'metadata'), 'state')
  const isGemini = said.name === `batches/${owned.id}`
  const isDone = isAnthropic
    ? said.processing_status === 'ended'
    : isGemini
      ? said.done === true || GEMINI_ENDED.test(state ?? '')
      : ENDED.has(stringOf(said, 'status') ?? '')
  if (!isDone) return
  const held = await parts.governor.listDeferred()
  if (!held.some(({ requestId }) => requestId === owned.requestId)) return
  const usage = isAnthropic
    ? await addUp(parts, owned, `/v1/messages/batches/${owned.id}/results`)
    : isGemini
      ? usageOfGemini(said)
      : await usageOfOpenai(parts, owned, said)
  const card = owned.model === undefined ? undefined : parts.resolve(owned.model).card
  const isBatch = card?.price?.tiers?.batch !== undefined
  // Where no list has the rates of batches, the usual ones are as near as it gets.
  const options = { isBatch, isEstimated: !isBatch }
  await parts.governor.settleDeferred(owned.requestId, toSettlement(usage, card, options))
}

/** Its answers stand in it: https://ai.google.dev/gemini-api/docs/batch-api */
function usageOfGemini(said: Record<string, unknown>): Usage | undefined {
  const output = recordOf(recordOf(said, 'metadata'), 'output') ?? recordOf(said, 'response')
  const inlined = recordOf(output, 'inlinedResponses')?.inlinedResponses
  let sum: Usage | undefined
  for (const item of Array.isArray(inlined) ? inlined : []) {
    const usage = toGeminiUsage(recordOf(recordOf(item, 'response'), 'usageMetadata'))
    if (usage) sum = addUsage(sum, usage)
  }
  return sum
}

/** Asks the provider how a batch is doing, and settles one that is done. Rejects as `settleBatch`. */
export async function lookAtBatch(parts: GatewayParts, owned: OwnedObject): Promise<void> {
  const known = recordOf(JSON.parse(owned.data ?? '{}'), 'object')
  const path =
    known?.type === 'message_batch'
      ? '/v1/messages/batches/'
      : known?.name === `batches/${owned.id}`
        ? '/v1beta/batches/'
        : '/batches/'
  let said: unknown
  await askKeeper(parts, owned, path + owned.id, async (response, deadlines) => {
    const body = await readWholeBody(response, deadlines, MAX_STATE_BYTES)
    said = JSON.parse(new TextDecoder().decode(body))
  })
  if (!isRecord(said)) return
  parts.log.own({ ...owned, data: JSON.stringify({ object: said }) })
  ownResults(parts, owned, said)
  await settleBatch(parts, owned, said)
}

/** What a batch gave belongs to who made it. */
export function ownResults(
  parts: GatewayParts,
  { keyId, provider, credential, model, requestId }: OwnedObject,
  said: Record<string, unknown>
): void {
  for (const name of ['output_file_id', 'error_file_id']) {
    const id = stringOf(said, name)
    if (id === undefined) continue
    const object = { id, object: 'file', purpose: 'batch_output' }
    parts.log.own({
      ...{ kind: 'file', id, keyId, provider, credential, model, requestId },
      ...{ createdAtMs: Date.now(), data: JSON.stringify({ object }) },
    })
  }
}

/** The whole usage stands in batches that were made since September 2025; else in the lines of the output file. */
async function usageOfOpenai(
  parts: GatewayParts,
  owned: OwnedObject,
  said: Record<string, unknown>
): Promise<Usage | undefined> {
  const told = toResponsesUsage(said.usage)
  if (told?.inputTokens) return told
  const output = stringOf(said, 'output_file_id')
  return output === undefined ? undefined : addUp(parts, owned, `/files/${output}/content`)
}

/** Adds up what the lines of a result say, as they come. */
async function addUp(
  parts: GatewayParts,
  owned: OwnedObject,
  path: string
): Promise<Usage | undefined> {
  let sum: Usage | undefined
  let rest = ''
  const add = (line: string) => {
    const usage = line.trim() === '' ? undefined : usageOfLine(JSON.parse(line))
    if (usage !== undefined) sum = addUsage(sum, usage)
  }
  await askKeeper(parts, owned, path, async (response, deadlines) => {
    const decoder = new TextDecoder()
    let length = 0
    for await (const chunk of piecesOf(response)) {
      length += chunk.length
      deadlines.awaitBody()
      if (length > MAX_RESULT_BYTES)
        throw new GatewayError('upstream_too_large', `the results of ${owned.id} are too large`)
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) add(line)
    }
  })
  add(rest)
  return sum
}

/** A line of OpenAI's output has a whole answer, of Anthropic's results a message. */
function usageOfLine(line: unknown): Usage | undefined {
  const message = recordOf(recordOf(line, 'result'), 'message')
  if (message) return toAnthropicUsage(message.usage)
  const usage = recordOf(recordOf(recordOf(line, 'response'), 'body'), 'usage')
  return toOpenaiUsage(usage) ?? toResponsesUsage(usage)
}

/** What work behind an answer came to; without any result it is not billed. */
export function toSettlement(
  usage: Usage | undefined,
  card: ModelCard | undefined,
  options: { isBatch?: boolean; isEstimated: boolean; serviceTier?: string | undefined }
): Settlement {
  if (usage === undefined) return { provenance: 'none', costNanoUsd: 0 }
  const { inputTokens, outputTokens } = usage
  const cost = priceUsage(usage, card?.price, { ...options, origin: card?.origin })
  return {
    ...{ inputTokens, outputTokens, costNanoUsd: cost.costNanoUsd },
    ...{ provenance: cost.provenance, priceOrigin: cost.priceOrigin },
  }
}

/** Reads what its provider says of what it keeps. Rejects as `askKeeper`. */
export async function fetchKept(
  parts: GatewayParts,
  owned: OwnedObject,
  path: string,
  maxBytes: number
): Promise<Uint8Array> {
  let body = new Uint8Array()
  await askKeeper(parts, owned, path, async (response, deadlines) => {
    body = Buffer.from(await readWholeBody(response, deadlines, maxBytes))
  })
  return body
}

/**
 * GET of what its provider keeps, with the credential that made it. Rejects with the status of a refusal.
 */
async function askKeeper(
  parts: GatewayParts,
  owned: OwnedObject,
  path: string,
  read: (response: UpstreamResponse, deadlines: Deadlines) => Promise<void>
): Promise<void> {
  const { provider: first } = targetOf(parts, owned)
  const provider =
    first.pool?.credentials.find(({ provider }) => provider.credentialName === owned.credential)
      ?.provider ?? first
  const deadlines = new Deadlines(provider.name, DEADLINES, performance.now(), false)
  parts.ticker.add(deadlines)
  try {
    const sent = await parts.sender.send({
      ...{ provider, path: versioned(provider.configuration.baseUrl, path) },
      format: provider.configuration.protocols[0] ?? '',
      ...{ body: undefined, headers: undefined, deadlines, fresh: false },
    })
    if (!sent.ok) throw sent.error
    deadlines.awaitBody()
    const { status, ok } = sent.response
    if (!ok)
      throw new GatewayError('upstream_refused', `GET ${path} answered ${status}`, { status })
    await read(sent.response, deadlines)
  } finally {
    deadlines.abort(new GatewayError('client_closed', 'all of it was read'))
    parts.ticker.remove(deadlines)
  }
}

/** Some base URLs end in the version, and some paths begin with it. */
function versioned(baseUrl: string, path: string): string {
  return /\/v\d+$/.test(baseUrl) && path.startsWith('/v1/') ? path.slice(3) : path
}
