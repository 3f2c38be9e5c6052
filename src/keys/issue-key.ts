import type { KeyQueries } from '../db/key-queries'
import type { KeyRow } from '../db/state-schema'
import { createToken, tokenHint } from './token'
import type { HashToken } from './token'
import type { VirtualKey } from './virtual-key'

export type NewKey = Pick<VirtualKey, 'name' | 'models' | 'bodies' | 'expiresAtMs'>

export type IssuedKey =
  { ok: true; row: KeyRow; token: string } | { ok: false; reason: 'name_taken' }

/** Makes and stores a key of the default organization. The token is in the answer and nowhere else. */
export function issueKey(
  queries: KeyQueries,
  hashToken: HashToken,
  wanted: NewKey,
  nowMs: number
): IssuedKey {
  const token = createToken()
  const row: KeyRow = {
    id: Bun.randomUUIDv7(),
    name: wanted.name,
    tokenHash: hashToken(token),
    tokenHint: tokenHint(token),
    models: wanted.models.length === 0 ? null : JSON.stringify(wanted.models),
    bodies: wanted.bodies ?? null,
    enabled: true,
    expiresAtMs: wanted.expiresAtMs ?? null,
    revokedAtMs: null,
    createdAtMs: nowMs,
    groupId: null,
    rights: null,
    limits: null,
    metadata: null,
    tokenKind: null,
  }
  if (!queries.insert(row)) return { ok: false, reason: 'name_taken' }
  return { ok: true, row, token }
}
