import type { OwnedObject } from '../db/owned-objects'
import { GatewayError } from '../errors/gateway-error'
import type { ModelCard } from '../models/model-card'
import { parseJsonObject } from '../protocols/json-object'
import { toUsage } from '../protocols/responses/usage'
import { countOf, stringOf } from '../std/record'
import type { GatewayParts } from './gateway-parts'
import { readKept, renderKept } from './kept-at-provider'
import { fetchKept, toSettlement } from './settle-batch'

const MAX_RESPONSE_BYTES = 64 * 1024 * 1024

/** Its work is not done: https://platform.openai.com/docs/guides/background */
const RUNNING = new Set(['queued', 'in_progress'])

/**
 * Books what a response in the background came to, once its provider says that it is done. Does nothing before, or when
 * it is booked already.
 */
export async function settleResponse(
  parts: GatewayParts,
  owned: OwnedObject,
  said: Record<string, unknown>
): Promise<void> {
  if (!readKept(owned).isRunning || RUNNING.has(stringOf(said, 'status') ?? 'queued')) return
  const usage = toUsage(said.usage)
  const options = { isEstimated: false, serviceTier: stringOf(said, 'service_tier') }
  // What failed is not billed; of what was cancelled nobody says whether it is.
  if (usage === undefined && said.status !== 'failed') await countAsHeld(parts, owned)
  else
    await parts.governor.settleDeferred(
      owned.requestId,
      toSettlement(usage, cardOf(parts, owned), options)
    )
  const tokens = countOf(said.usage, 'total_tokens')
  parts.log.own({ ...owned, data: renderKept({ tokens }) })
}

/** Without a price what was held counts. */
function cardOf(parts: GatewayParts, { model = '' }: OwnedObject): ModelCard | undefined {
  try {
    return parts.resolve(model).card
  } catch {
    return undefined
  }
}

/**
 * Asks the provider how a response in the background is doing, and books one that is done. One that is gone counts as it
 * was held. Rejects with what keeps it from being read.
 */
export async function lookAtResponse(parts: GatewayParts, owned: OwnedObject): Promise<void> {
  if (!readKept(owned).isRunning) return
  try {
    const body = await fetchKept(parts, owned, `/responses/${owned.id}`, MAX_RESPONSE_BYTES)
    await settleResponse(parts, owned, parseJsonObject(body) ?? {})
  } catch (error) {
    if (!(error instanceof GatewayError) || error.status !== 404) throw error
    await countAsHeld(parts, owned)
  }
}

/** Nobody will ever say what it took. */
export async function countAsHeld(parts: GatewayParts, owned: OwnedObject): Promise<void> {
  await parts.governor.settleDeferred(owned.requestId, { provenance: 'unknown' })
}
