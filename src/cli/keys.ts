import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import { createKeyQueries } from '../db/key-queries'
import type { KeyQueries } from '../db/key-queries'
import { openSqlite } from '../db/open'
import type { KeyRow } from '../db/state-schema'
import { parseExpiry } from '../keys/expiry'
import { issueKey } from '../keys/issue-key'
import { createTokenHasher } from '../keys/token'
import type { HashToken } from '../keys/token'
import type { KeyBodies } from '../keys/virtual-key'
import { CommandError, EXIT } from './command-line'
import type { CommandOutput } from './command-line'
import { defaultDataDirectory, openDataDirectory } from './data-directory'
import type { Environment } from './data-directory'
import { layOutKeys, viewKey } from './key-view'
import { dataOption, jsonOption } from './options'

type CommonOptions = { data?: string; json?: boolean }
type CreateOptions = CommonOptions & {
  name: string
  models?: string[]
  expires?: number
  bodies?: KeyBodies
}

const PAGE_ROWS = 1_000

/** Adds `keys create|list|enable|disable|revoke`, which work whether or not a gateway runs. */
export function addKeysCommands(
  program: Command,
  output: CommandOutput,
  env: Environment = process.env
): void {
  const keys = program.command('keys').description('make and manage the virtual keys of callers')
  const common = (name: string, description: string) =>
    keys.command(name).description(description).addOption(dataOption()).addOption(jsonOption())

  common('create', 'make a key and print it, this once')
    .requiredOption('--name <name>', 'what logs and limits call it', parseName)
    .option(
      '--models <globs>',
      "models it may use, e.g. 'openai/*,local/*'; all unless given",
      parseModels
    )
    .option('--expires <when>', 'a span (12h, 30d, 4w), a date or an ISO 8601 time', parseExpires)
    .addOption(
      new Option('--bodies <what>', 'keep the bodies of its requests').choices(['off', 'full'])
    )
    .action((options: CreateOptions) =>
      withKeys(options, env, (queries, hashToken) => create(queries, hashToken, options, output))
    )
  common('list', 'list every key, revoked ones too').action((options: CommonOptions) =>
    withKeys(options, env, (queries) => list(queries, options, output))
  )
  for (const change of CHANGES) {
    common(change.name, change.description)
      .argument('<key>', 'its name or id')
      .action((idOrName: string, options: CommonOptions) =>
        withKeys(options, env, (queries) => apply(change, queries, idOrName, options, output))
      )
  }
}

function create(
  queries: KeyQueries,
  hashToken: HashToken,
  options: CreateOptions,
  output: CommandOutput
): void {
  const { name, models = [], expires: expiresAtMs, bodies } = options
  const nowMs = Date.now()
  const issued = issueKey(queries, hashToken, { name, models, expiresAtMs, bodies }, nowMs)
  if (!issued.ok) {
    throw new CommandError(
      EXIT.failed,
      `there is a key named ${name} already; choose another name, or revoke that one first`
    )
  }
  const { row, token } = issued
  if (options.json === true) {
    const { id, ...view } = viewKey(row, nowMs)
    output.out(JSON.stringify({ id, key: token, ...view }))
    return
  }
  output.out(`Created the key ${name} (${row.id}):`)
  output.out('')
  output.out(`    ${token}`)
  output.out('')
  output.out("Keep it now: it can't be shown again.")
}

function list(queries: KeyQueries, options: CommonOptions, output: CommandOutput): void {
  const nowMs = Date.now()
  const views = [...everyKey(queries)].map((row) => viewKey(row, nowMs))
  if (options.json === true) output.out(JSON.stringify(views))
  else if (views.length === 0) output.out('There is no key yet: tollgate keys create --name app')
  else for (const line of layOutKeys(views)) output.out(line)
}

function* everyKey(queries: KeyQueries): Generator<KeyRow> {
  let afterId: string | undefined = ''
  while (afterId !== undefined) {
    const rows = queries.page(afterId, PAGE_ROWS)
    yield* rows
    afterId = rows.at(-1)?.id
  }
}

type Change = {
  name: 'enable' | 'disable' | 'revoke'
  description: string
  done: string
  write(queries: KeyQueries, id: string, nowMs: number): void
}

const CHANGES: readonly Change[] = [
  {
    name: 'enable',
    description: 'let a disabled key in again',
    done: 'enabled',
    write: (queries, id, nowMs) => queries.setEnabled(id, true, nowMs),
  },
  {
    name: 'disable',
    description: 'refuse a key until it is enabled again',
    done: 'disabled',
    write: (queries, id, nowMs) => queries.setEnabled(id, false, nowMs),
  },
  {
    name: 'revoke',
    description: 'refuse a key for good; its name is free again',
    done: 'revoked',
    write: (queries, id, nowMs) => queries.revoke(id, nowMs),
  },
]

function apply(
  change: Change,
  queries: KeyQueries,
  idOrName: string,
  options: CommonOptions,
  output: CommandOutput
): void {
  const found = queries.find(idOrName)
  if (found === undefined) {
    throw new CommandError(EXIT.notFound, `no key has the name or id ${idOrName}`)
  }
  const nowMs = Date.now()
  // Revoking twice is no mistake: the first time must have been the one that counts, and stays.
  if (found.revokedAtMs === null) change.write(queries, found.id, nowMs)
  else if (change.name !== 'revoke') {
    const at = new Date(found.revokedAtMs).toISOString()
    throw new CommandError(EXIT.failed, `the key ${found.name} was revoked on ${at}, for good`)
  }
  const changed = queries.find(found.id) ?? found
  if (options.json === true) output.out(JSON.stringify(viewKey(changed, nowMs)))
  else output.out(`The key ${found.name} (${found.id}) is ${change.done}.`)
}

function withKeys(
  options: CommonOptions,
  env: Environment,
  run: (queries: KeyQueries, hashToken: HashToken) => void
): void {
  const { directory, secret } = openDataDirectory(options.data ?? defaultDataDirectory(env))
  // A power cut must not bring a revoked key back.
  const database = openSqlite(directory.statePath, { durable: true })
  try {
    run(createKeyQueries(database), createTokenHasher(secret))
  } finally {
    database.close()
  }
}

function parseName(text: string): string {
  // `/`, `+`, `*` and blanks would make it ambiguous where names are combined or matched.
  if (/^[A-Za-z0-9][A-Za-z0-9._@:-]{0,63}$/.test(text)) return text
  throw new InvalidArgumentError(
    'A name has 1 to 64 letters, digits or any of . _ @ : - and begins with a letter or digit.'
  )
}

function parseModels(text: string): string[] {
  const globs = text.split(',').map((glob) => glob.trim())
  for (const glob of globs) {
    if (/[/*?]/.test(glob)) continue
    throw new InvalidArgumentError(
      glob === ''
        ? 'It has an empty part.'
        : `Models are named provider/model, so ${glob} matches none: write */${glob}.`
    )
  }
  return globs
}

function parseExpires(text: string): number {
  const expiry = parseExpiry(text, Date.now())
  if (expiry.ok) return expiry.atMs
  throw new InvalidArgumentError(expiry.problem)
}
