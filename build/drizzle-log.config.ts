/**
 * After an edit of the schema: `bun add --no-save drizzle-kit@0.31.11`, then
 * `bun x drizzle-kit generate --config build/drizzle-log.config.ts --name WHAT_CHANGED`,
 * and a line in the folder's `migrations.ts`.
 */
const config = {
  dialect: 'sqlite',
  schema: './src/db/log-schema.ts',
  out: './src/db/migrations/log',
}

// The tool reads nothing but the default export.
export default config
