import type { Database } from 'bun:sqlite'

export type LogRetention = {
  /**
   * Deletes up to `limit` of the oldest rows that began before `beforeMs` (epoch milliseconds; all
   * when undefined), their bodies too, in one transaction. Returns how many rows went.
   */
  deleteOldest(beforeMs: number | undefined, limit: number): number
  /** Deletes up to `limit` of the oldest: rows with their bodies, or responses that are kept here. Returns how many went. */
  shrink(limit: number): number
  /** Bytes of the database file that hold something. */
  usedBytes(): number
  /** Gives up to `pages` free pages back to the file system; whether more are free. */
  vacuum(pages: number): boolean
}

/** Deletion in steps, each short enough that imports can run between. */
export function createLogRetention(database: Database): LogRetention {
  const lastOfOldest = database.query<{ id: string | null }, [string, number]>(
    'SELECT max(id) AS id FROM (SELECT id FROM requests WHERE id < ? ORDER BY id LIMIT ?)'
  )
  const deleteRequests = database.prepare('DELETE FROM requests WHERE id <= ?')
  // By range, never by looking each up: a body's pages are read by nothing but this.
  const deleteBodies = database.prepare('DELETE FROM request_bodies WHERE request_id <= ?')
  const oldest = database.query<{ id: string | null; keptAtMs: number | null }, []>(
    `SELECT (SELECT min(id) FROM requests) AS id,
       (SELECT min(created_at_ms) FROM owned_objects WHERE provider = '') AS keptAtMs`
  )
  const deleteKept = database.prepare(
    `DELETE FROM owned_objects WHERE rowid IN
     (SELECT rowid FROM owned_objects WHERE provider = '' ORDER BY created_at_ms LIMIT ?)`
  )
  const pages = database.query<{ total: number; free: number; sizeBytes: number }, []>(
    `SELECT page_count AS total, freelist_count AS free, page_size AS sizeBytes
     FROM pragma_page_count, pragma_freelist_count, pragma_page_size`
  )
  const deleteRange = database.transaction((id: string) => {
    deleteBodies.run(id)
    return deleteRequests.run(id).changes
  })

  function deleteOldest(beforeMs: number | undefined, limit: number): number {
    // Above every UUID.
    const before = beforeMs === undefined ? 'g' : firstIdAt(beforeMs)
    const last = lastOfOldest.get(before, limit)?.id ?? undefined
    return last === undefined ? 0 : deleteRange.immediate(last)
  }

  return {
    deleteOldest,
    shrink(limit) {
      const { id = null, keptAtMs = null } = oldest.get() ?? {}
      const isKept = keptAtMs !== null && (id === null || firstIdAt(keptAtMs) < id)
      return isKept ? deleteKept.run(limit).changes : deleteOldest(undefined, limit)
    },
    usedBytes() {
      const counted = pages.get()
      return counted === null ? 0 : (counted.total - counted.free) * counted.sizeBytes
    },
    vacuum(limit) {
      if ((pages.get()?.free ?? 0) === 0) return false
      database.run(`PRAGMA incremental_vacuum(${limit})`)
      return (pages.get()?.free ?? 0) > 0
    },
  }
}

/** Sorts before every UUIDv7 of that millisecond and after those of earlier ones (RFC 9562, 5.7). */
function firstIdAt(atMs: number): string {
  const digits = Math.max(0, Math.floor(atMs)).toString(16).padStart(12, '0')
  return `${digits.slice(0, 8)}-${digits.slice(8)}`
}
