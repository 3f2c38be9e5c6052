import type { KeyRow } from '../db/state-schema'
import { createKeyReader, keyState } from '../keys/virtual-key'
import type { KeyState } from '../keys/virtual-key'

/** A key as the command line shows it; times are ISO 8601. Never with its token or hash. */
export type KeyView = {
  id: string
  name: string
  state: KeyState
  /** The last four characters of the token. */
  hint: string
  models: readonly string[]
  bodies: 'off' | 'full' | null
  expires_at: string | null
  revoked_at: string | null
  created_at: string
}

/** Shows a row as it stands at `nowMs`. */
export function viewKey(row: KeyRow, nowMs: number): KeyView {
  const key = createKeyReader()(row)
  return {
    id: key.id,
    name: key.name,
    state: keyState(key, nowMs),
    hint: row.tokenHint,
    models: key.models,
    bodies: row.bodies,
    expires_at: isoTime(row.expiresAtMs),
    revoked_at: isoTime(row.revokedAtMs),
    created_at: new Date(row.createdAtMs).toISOString(),
  }
}

/** Lays keys out in columns, one line each under a line of headings. */
export function layOutKeys(views: readonly KeyView[]): string[] {
  const rows = views.map((view) => [
    view.name,
    view.state,
    `…${view.hint}`,
    view.models.length === 0 ? 'all' : view.models.join(','),
    view.bodies ?? 'default',
    view.expires_at ?? 'never',
    view.id,
  ])
  const lines = [['NAME', 'STATE', 'KEY', 'MODELS', 'BODIES', 'EXPIRES', 'ID'], ...rows]
  const widths = lines.reduce<number[]>(
    (widest, line) => line.map((cell, column) => Math.max(cell.length, widest[column] ?? 0)),
    []
  )
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  )
}

function isoTime(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString()
}
