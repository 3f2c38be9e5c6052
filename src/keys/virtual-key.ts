import { z } from 'zod'
import type { KeyRow } from '../db/state-schema'

/** A key that we issued, as the way of a request reads it. A change makes a new one. */
export type VirtualKey = {
  id: string
  name: string
  enabled: boolean
  revokedAtMs: number | undefined
  expiresAtMs: number | undefined
  /** Globs over `provider/model`; an empty list allows every model. */
  models: readonly string[]
  /** Whether bodies are kept; `undefined` leaves it to the configuration. */
  bodies: KeyBodies | undefined
  createdAtMs: number
}

export type KeyBodies = 'off' | 'full'

export type KeyState = 'active' | 'disabled' | 'expired' | 'revoked'

/** What a key is good for at a time: only an active one opens anything. */
export function keyState(
  key: Pick<VirtualKey, 'enabled' | 'revokedAtMs' | 'expiresAtMs'>,
  nowMs: number
): KeyState {
  if (key.revokedAtMs !== undefined) return 'revoked'
  if (!key.enabled) return 'disabled'
  if (key.expiresAtMs !== undefined && nowMs >= key.expiresAtMs) return 'expired'
  return 'active'
}

/**
 * Gives the function from a row to a key. Equal lists of models become one array: a million keys
 * have a few lists between them.
 */
export function createKeyReader(): (row: KeyRow) => VirtualKey {
  const lists = new Map<string, readonly string[]>()

  function readModels(json: string | null): readonly string[] {
    const text = json ?? '[]'
    const known = lists.get(text)
    if (known !== undefined) return known
    const models = z.array(z.string()).parse(JSON.parse(text))
    lists.set(text, models)
    return models
  }

  return (row) => ({
    id: row.id,
    name: row.name,
    enabled: row.enabled,
    revokedAtMs: row.revokedAtMs ?? undefined,
    expiresAtMs: row.expiresAtMs ?? undefined,
    models: readModels(row.models),
    bodies: row.bodies ?? undefined,
    createdAtMs: row.createdAtMs,
  })
}
