import type { OwnedObject } from '../db/owned-objects'
import { GatewayError } from '../errors/gateway-error'
import type { JsonObject, JsonValue } from '../protocols/json'
import type { ObjectCall } from '../protocols/object-call'
import { isRecord, stringOf } from '../std/record'
import type { GatewayParts } from './gateway-parts'
import { readLimit } from './list-own'

/** What is kept here of a response whose provider keeps none: what was asked, what came before, and the answer. */
export type StoredResponse = {
  /** Items of the whole conversation up to the answer, the oldest first. */
  readonly input: readonly JsonValue[]
  readonly response: JsonObject
}

const MOST_ITEMS = 100

/** A larger one is not kept. */
export const MAX_STORED_BYTES = 8 * 1024 * 1024

/** Reads what is kept of a response. */
export async function openStored(parts: GatewayParts, owned: OwnedObject): Promise<StoredResponse> {
  const stored: JsonValue = JSON.parse(await parts.vault.open(owned.data ?? ''))
  const { input, response } = isRecord(stored) ? stored : {}
  if (!Array.isArray(input) || !isRecord(response))
    throw new Error(`the response ${owned.id} is kept in no known form`)
  return { input, response }
}

/** Answers a call about a response that is kept here: https://platform.openai.com/docs/api-reference/responses/get */
export async function answerStored(
  parts: GatewayParts,
  owned: OwnedObject,
  { action, path, query }: ObjectCall
): Promise<JsonValue> {
  if (action === 'drop') {
    parts.log.disown('response', owned.id)
    return { id: owned.id, object: 'response', deleted: true }
  }
  if (query.get('stream') === 'true')
    throw new GatewayError('invalid_request', 'only a response in the background has a stream', {
      param: 'stream',
    })
  const { input, response } = await openStored(parts, owned)
  if (action === 'read') return response
  if (!path.split('?', 1)[0]?.endsWith('/input_items'))
    throw new GatewayError(
      'invalid_request',
      'only a response that runs in the background can be cancelled'
    )
  return toPage(
    input.map((item, at) => toInputItem(item, owned.id, at)),
    query
  )
}

/** https://platform.openai.com/docs/api-reference/responses/input-items: the newest first, 20 unless said. */
function toPage(items: readonly JsonValue[], query: URLSearchParams): JsonObject {
  const limit = readLimit(query.get('limit'), MOST_ITEMS)
  const ordered = query.get('order') === 'asc' ? items : items.toReversed()
  const after = query.get('after')
  const from = after === null ? 0 : ordered.findIndex((item) => stringOf(item, 'id') === after) + 1
  if (after !== null && from === 0)
    throw new GatewayError('invalid_request', "'after' is no id of these items", { param: 'after' })
  const data = ordered.slice(from, from + limit)
  return {
    object: 'list',
    data,
    first_id: stringOf(data[0], 'id') ?? null,
    last_id: stringOf(data.at(-1), 'id') ?? null,
    has_more: from + data.length < ordered.length,
  }
}

/** Items have ids, and messages lists of parts. */
function toInputItem(item: JsonValue, responseId: string, at: number): JsonValue {
  if (!isRecord(item)) return item
  const named = { id: `item_${responseId}_${at}`, ...item }
  if (typeof item.content !== 'string') return named
  const type = item.role === 'assistant' ? 'output_text' : 'input_text'
  return { type: 'message', ...named, content: [{ type, text: item.content }] }
}

/** A request's own items, whichever way it wrote them. */
export function inputItems(input: JsonValue | undefined): JsonValue[] {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }]
  return Array.isArray(input) ? input : []
}
