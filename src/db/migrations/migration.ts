/** One step of a schema, as drizzle-kit writes it. */
export type Migration = {
  /** drizzle-kit's name for it, e.g. `0000_virtual_keys`. */
  tag: string
  /** When it was generated, epoch milliseconds: the order of migrations, and what a database remembers. */
  createdAtMs: number
  sql: string
}

type Journal = { entries: { tag: string; when: number }[] }

/**
 * Joins drizzle-kit's journal with the text of its files, given by tag. Imported as text they travel in
 * the executable. A migration whose text was forgotten stops the program.
 */
export function listMigrations(
  journal: Journal,
  texts: Readonly<Record<string, string>>
): Migration[] {
  return journal.entries.map(({ tag, when }) => {
    const sql = texts[tag]
    if (sql === undefined) throw new Error(`the migration ${tag} is not imported`)
    return { tag, createdAtMs: when, sql }
  })
}
