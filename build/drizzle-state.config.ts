/**
 * After an edit of the schema: `bun add --no-save drizzle-kit@0.31.11`, then
 * `bun x drizzle-kit generate --config build/drizzle-state.config.ts --name WHAT_CHANGED`,
 * and a line in the folder's `migrations.ts`.
 */
const config = {
  dialect: 'sqlite',
  schema: './src/db/state-schema.ts',
  out: './src/db/migrations/state',
}

// The tool reads nothing but the default export.
export default config
