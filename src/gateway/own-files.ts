import { GatewayError } from '../errors/gateway-error'
import { findBytes } from '../std/bytes'
import { isRecord } from '../std/record'
import type { Exchange } from './exchange'
import type { GatewayParts } from './gateway-parts'
import { notFound } from './owned-objects'

/** `"file_id"` and `"file_ids"`, as all formats spell it. */
const MARK = Buffer.from('"file_id')
const MOST_FILES = 200
const decoder = new TextDecoder()

/** Whether a request may name files that a provider keeps: what nearly none does, and costs a search. */
export function namesFiles(body: Uint8Array): boolean {
  return findBytes(body, MARK) >= 0
}

/**
 * Sees to it that a request names no file of another key: its model would read that aloud. What was uploaded elsewhere is
 * nobody's here. Throws `object_not_found`, and `invalid_request` for more files than any request has.
 */
export async function assertOwnFiles(
  { log }: Pick<GatewayParts, 'log'>,
  { caller }: Exchange,
  body: Uint8Array
): Promise<void> {
  const ids = new Set<string>()
  collect(JSON.parse(decoder.decode(body)), ids)
  if (ids.size > MOST_FILES)
    throw new GatewayError('invalid_request', `'file_id' must name at most ${MOST_FILES} files`, {
      param: 'file_id',
    })
  for (const id of ids) {
    const [found] = await log.owned({ objectKind: 'file', id })
    if (found && found.keyId !== caller?.id) throw notFound('file', id)
  }
}

function collect(value: unknown, ids: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) collect(item, ids)
  else if (isRecord(value))
    for (const [name, member] of Object.entries(value)) {
      if (name === 'file_id' && typeof member === 'string') ids.add(member)
      else if (name === 'file_ids' && Array.isArray(member))
        for (const id of member) ids.add(String(id))
      else collect(member, ids)
    }
}
