import type { Database } from 'bun:sqlite'

export const OWNED_KINDS = ['file', 'batch', 'response'] as const

/** What a provider makes and keeps, under an id of its own. */
export type OwnedKind = (typeof OWNED_KINDS)[number]

/** An id, and whose it is. */
export type OwnedObject = {
  readonly kind: OwnedKind
  readonly id: string
  /** The key that made it; `undefined` where none is asked for. */
  readonly keyId?: string | undefined
  /** Where it is kept; '' for here. */
  readonly provider: string
  /** The provider's credential by name, where it has several. */
  readonly credential?: string | undefined
  /** `provider/model`, of what a model made. */
  readonly model?: string | undefined
  /** The request that made it. */
  readonly requestId: string
  readonly createdAtMs: number
  /** From then on it is nobody's; left out for never. */
  readonly expiresAtMs?: number | undefined
  /** What else has to be known of it, as its kind has it. */
  readonly data?: string | undefined
}

export type OwnedWriter = {
  /** Writes it anew where its owner had it before; an id of somebody else stays theirs. */
  put(object: OwnedObject): void
  remove(kind: OwnedKind, id: string): void
}

/** Which of its own objects a key wants to see. */
export type OwnedPage = {
  readonly kind: OwnedKind
  readonly keyId: string | undefined
  /** `undefined` for those of all providers. */
  readonly provider?: string | undefined
  /** The newest first. */
  readonly isDescending: boolean
  /** The id behind which the page begins. */
  readonly after?: string | undefined
  readonly limit: number
  readonly nowMs: number
}

type Row = { [Name in keyof Required<OwnedObject>]: OwnedObject[Name] | null }

const COLUMNS = `kind, id, key_id AS keyId, provider, credential, model, request_id AS requestId,
  created_at_ms AS createdAtMs, expires_at_ms AS expiresAtMs, data`

/** Writes to the log's database, within the transactions of whoever calls. */
export function createOwnedWriter(database: Database): OwnedWriter {
  const put = database.prepare(
    `INSERT INTO owned_objects (kind, id, key_id, provider, credential, model, request_id,
       created_at_ms, expires_at_ms, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (kind, id) DO UPDATE SET data = excluded.data, expires_at_ms = excluded.expires_at_ms
     WHERE key_id IS excluded.key_id AND provider = excluded.provider`
  )
  const remove = database.prepare('DELETE FROM owned_objects WHERE kind = ? AND id = ?')
  return {
    put: ({ kind, id, keyId, provider, credential, model, ...rest }) =>
      void put.run(
        ...[kind, id, keyId ?? null, provider, credential ?? null, model ?? null],
        ...[rest.requestId, rest.createdAtMs, rest.expiresAtMs ?? null, rest.data ?? null]
      ),
    remove: (kind, id) => void remove.run(kind, id),
  }
}

/** The object of an id that has not expired; `undefined` for none. */
export function findOwned(
  database: Database,
  kind: OwnedKind,
  id: string,
  nowMs: number
): OwnedObject | undefined {
  const row = database
    .query<Row, [string, string, number]>(
      `SELECT ${COLUMNS} FROM owned_objects
       WHERE kind = ? AND id = ? AND (expires_at_ms IS NULL OR expires_at_ms > ?)`
    )
    .get(kind, id, nowMs)
  return row === null ? undefined : toObject(row)
}

/** A page of a key's own. */
export function listOwned(database: Database, page: OwnedPage): OwnedObject[] {
  const { kind, keyId = null, provider = null, isDescending, after = null, limit, nowMs } = page
  const [order, behind] = isDescending ? ['DESC', '<'] : ['ASC', '>']
  return database
    .query<Row, (string | number | null)[]>(
      `SELECT ${COLUMNS} FROM owned_objects
       WHERE kind = ?1 AND key_id IS ?2 AND (?3 IS NULL OR provider = ?3)
         AND (expires_at_ms IS NULL OR expires_at_ms > ?4)
         AND (?5 IS NULL OR (created_at_ms, id) ${behind}
           (SELECT created_at_ms, id FROM owned_objects WHERE kind = ?1 AND id = ?5))
       ORDER BY created_at_ms ${order}, id ${order} LIMIT ?6`
    )
    .all(kind, keyId, provider, nowMs, after, limit)
    .flatMap((row) => toObject(row) ?? [])
}

/** Deletes some of what has expired; gives how many. */
export function deleteExpired(database: Database, nowMs: number, limit: number): number {
  return database
    .query(
      `DELETE FROM owned_objects WHERE rowid IN
       (SELECT rowid FROM owned_objects WHERE expires_at_ms <= ? LIMIT ?)`
    )
    .run(nowMs, limit).changes
}

function toObject(row: Row): OwnedObject | undefined {
  const { kind, id, provider, requestId, createdAtMs } = row
  if (kind === null || id === null || provider === null) return undefined
  if (requestId === null || createdAtMs === null) return undefined
  return {
    ...{ kind, id, provider, requestId, createdAtMs },
    keyId: row.keyId ?? undefined,
    credential: row.credential ?? undefined,
    model: row.model ?? undefined,
    expiresAtMs: row.expiresAtMs ?? undefined,
    data: row.data ?? undefined,
  }
}
