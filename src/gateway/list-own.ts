import type { OwnedObject } from '../db/owned-objects'
import { GatewayError } from '../errors/gateway-error'
import type { JsonObject, JsonValue } from '../protocols/json'
import type { ObjectCall } from '../protocols/object-call'
import { isRecord } from '../std/record'
import type { Exchange } from './exchange'
import { withOwnResults } from './results-address'
import type { GatewayParts } from './gateway-parts'

const STANDARD_LIMIT = 20
const MOST = 1_000

/**
 * A page of what a key has made, as its answers said last, in OpenAI's and Anthropic's shape at once. A provider would
 * list what belongs to others. `origin` is how the client reaches the gateway. Throws `invalid_request` for a page that is none.
 */
export async function listOwn(
  parts: GatewayParts,
  { caller }: Exchange,
  { kind, query }: ObjectCall,
  { origin, isGemini }: { origin: string; isGemini: boolean }
): Promise<JsonObject> {
  const limit = readLimit(query.get('limit'), MOST)
  const order = query.get('order') ?? 'desc'
  const before = query.get('before_id') ?? undefined
  const page = {
    ...{ kind, keyId: caller?.id, provider: query.get('provider') ?? undefined },
    isDescending: (order !== 'asc') === (before === undefined),
    after: before ?? query.get('after') ?? query.get('after_id') ?? undefined,
    limit: limit + 1,
    nowMs: Date.now(),
  }
  const found = [...(await parts.log.owned({ page }))]
  const hasMore = found.length > limit
  const shown = found.slice(0, limit)
  if (before !== undefined) shown.reverse()
  const purpose = query.get('purpose')
  const data = shown
    .map((owned) => withOwnResults(toShown(owned), origin))
    .filter((item) => purpose === null || item.purpose === purpose)
  if (isGemini) return { operations: data }
  return {
    object: 'list',
    data,
    first_id: shown[0]?.id ?? null,
    last_id: shown.at(-1)?.id ?? null,
    has_more: hasMore,
  }
}

function toShown({ id, data }: OwnedObject): JsonObject {
  const parsed: JsonValue = data === undefined ? {} : JSON.parse(data)
  const said = isRecord(parsed) ? parsed.object : undefined
  return isRecord(said) ? said : { id }
}

/** How many of a list are wanted: at most `most`. Throws `invalid_request`. */
export function readLimit(written: string | null, most: number): number {
  if (written === null) return STANDARD_LIMIT
  const limit = /^\d{1,6}$/.test(written) ? Number(written) : 0
  if (limit >= 1) return Math.min(limit, most)
  throw new GatewayError('invalid_request', "'limit' must be a whole number above 0", {
    param: 'limit',
  })
}
