import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import { readFileSync } from 'node:fs'
import {
  type ImportedToken,
  KeyAdministration,
  type KeyListFilter,
  type KeyRecord,
  type MadeKey,
} from '../keys/administration'
import { parseDuration } from '../std/duration'
import { CommandError, EXIT } from './command-line'
import type { CommandOutput } from './command-line'
import type { Environment } from './data-directory'
import { addKeyOptions, type KeyOptions, toKeyInput } from './key-options'
import { layOutKeys, layOutView, viewKey } from './key-view'
import { dataOption, jsonOption } from './options'
import { addOverrideOptions, type OverrideOptions, toOverride } from './override-command'
import { withKeys } from './with-keys'

type CommonOptions = { data?: string; json?: boolean }
type CreateOptions = CommonOptions & KeyOptions & { name: string }
type ImportOptions = CreateOptions & { token?: string; litellmHash?: string }
type ListOptions = CommonOptions & KeyListFilter
type RotateOptions = CommonOptions & { grace: number }

/** A command under `keys` with the options that all of them have. */
type Common = (name: string, description: string) => Command
/** Runs a command on the keys of its data directory. */
type Run = (options: CommonOptions, run: (keys: KeyAdministration) => void) => void

const DAY_MS = 86_400_000

/** Adds `keys create|list|show|update|override|rotate|import|enable|disable|revoke`, which work whether or not a gateway runs. */
export function addKeysCommands(
  program: Command,
  output: CommandOutput,
  env: Environment = process.env,
  readInput: () => string = () => readFileSync(0, 'utf8')
): void {
  const keys = program.command('keys').description('make and manage the virtual keys of callers')
  const common: Common = (name, description) =>
    keys.command(name).description(description).addOption(dataOption()).addOption(jsonOption())
  const run: Run = (options, act) =>
    withKeys(options.data, env, (queries, hashToken) =>
      act(new KeyAdministration(queries, hashToken))
    )
  addMakingCommands(common, run, output, readInput)
  addReadingCommands(common, run, output)
  addChangingCommands(common, run, output)
}

function addMakingCommands(
  common: Common,
  run: Run,
  output: CommandOutput,
  readInput: () => string
): void {
  addKeyOptions(
    common('create', 'make a key and print it, this once').requiredOption(
      '--name <name>',
      'what logs and limits call it'
    )
  ).action((options: CreateOptions) =>
    run(options, (keys) => {
      const made = keys.create({ name: options.name, ...toKeyInput(options) })
      printMade(made, 'Created', options, output)
    })
  )
  addKeyOptions(
    common('import', 'make a key of a token that its callers have already')
      .requiredOption('--name <name>', 'what logs and limits call it')
      .option('--token <token>', 'the token itself; - reads it from standard input')
      .option('--litellm-hash <hex>', 'its SHA-256, as LiteLLM keeps it in the column token')
  ).action((options: ImportOptions) => {
    const imported = importedToken(options, readInput)
    run(options, (keys) => {
      const record = keys.import({ name: options.name, ...toKeyInput(options) }, imported)
      printRecord(record, 'imported', options, output)
    })
  })
}

function addReadingCommands(common: Common, run: Run, output: CommandOutput): void {
  common('list', 'list every key, revoked ones too')
    .option('--organization <name>', 'only those of an organization and its teams')
    .option('--team <name>', 'only those of a team')
    .option('--search <text>', 'only those with the text in their name')
    .action((options: ListOptions) => run(options, (keys) => list(keys, options, output)))
  common('show', 'show all of a key but its token')
    .argument('<key>', 'its name or id')
    .action((idOrName: string, options: CommonOptions) =>
      run(options, (keys) => {
        const view = viewKey(keys.get(idOrName))
        if (options.json === true) output.out(JSON.stringify(view))
        else for (const line of layOutView(view)) output.out(line)
      })
    )
}

function addChangingCommands(common: Common, run: Run, output: CommandOutput): void {
  addKeyOptions(
    common('update', "change what a key may do; '' clears an option").argument(
      '<key>',
      'its name or id'
    )
  ).action((idOrName: string, options: CommonOptions & KeyOptions) =>
    run(options, (keys) => {
      printRecord(keys.update(idOrName, toKeyInput(options)), 'updated', options, output)
    })
  )
  common('rotate', 'give a key a new token and print it, this once')
    .argument('<key>', 'its name or id')
    .addOption(
      new Option('--grace <span>', 'how long the old token works on; 0s ends it now')
        .argParser(parseGrace)
        .default(DAY_MS, '24h')
    )
    .action((idOrName: string, options: RotateOptions) =>
      run(options, (keys) => {
        printMade(keys.rotate(idOrName, options.grace), 'Rotated', options, output)
      })
    )
  addOverrideOptions(
    common('override', 'give budgets or limits of a key other amounts for a time').argument(
      '<key>',
      'its name or id'
    )
  ).action((idOrName: string, options: CommonOptions & OverrideOptions) =>
    run(options, (keys) => {
      const change = toOverride(keys.get(idOrName).profile, options)
      printRecord(keys.update(idOrName, change), 'updated', options, output)
    })
  )
  for (const { name, description, done } of CHANGES) {
    common(name, description)
      .argument('<key>', 'its name or id')
      .action((idOrName: string, options: CommonOptions) =>
        run(options, (keys) => printRecord(keys[name](idOrName), done, options, output))
      )
  }
}

const CHANGES = [
  { name: 'enable', description: 'let a disabled key in again', done: 'enabled' },
  { name: 'disable', description: 'refuse a key until it is enabled again', done: 'disabled' },
  { name: 'revoke', description: 'refuse a key for good; its name is free again', done: 'revoked' },
] as const

function printMade(
  { record, token }: MadeKey,
  done: string,
  options: CommonOptions,
  output: CommandOutput
): void {
  const { id, ...view } = viewKey(record)
  if (options.json === true) {
    output.out(JSON.stringify({ id, key: token, ...view }))
    return
  }
  output.out(`${done} the key ${view.name} (${id}):`)
  output.out('')
  output.out(`    ${token}`)
  output.out('')
  output.out("Keep it now: it can't be shown again.")
  for (const { hint, ends_at } of view.previous_tokens)
    output.out(`The old one${hint === null ? '' : ` (…${hint})`} works until ${ends_at}.`)
}

function printRecord(
  record: KeyRecord,
  done: string,
  options: CommonOptions,
  output: CommandOutput
): void {
  const view = viewKey(record)
  if (options.json === true) output.out(JSON.stringify(view))
  else output.out(`The key ${view.name} (${view.id}) is ${done}.`)
}

function list(keys: KeyAdministration, options: ListOptions, output: CommandOutput): void {
  const { organization, team, search } = options
  const views = [...everyKey(keys, { organization, team, search })].map(viewKey)
  const isNarrowed = [organization, team, search].some((narrowing) => narrowing !== undefined)
  if (options.json === true) output.out(JSON.stringify(views))
  else if (views.length > 0) for (const line of layOutKeys(views)) output.out(line)
  else if (isNarrowed) output.out('There is no such key.')
  else output.out('There is no key yet: tollgate keys create --name app')
}

function* everyKey(keys: KeyAdministration, filter: KeyListFilter): Generator<KeyRecord> {
  let afterId: string | undefined = ''
  while (afterId !== undefined) {
    const page = keys.list(filter, afterId)
    yield* page.records
    afterId = page.nextAfterId
  }
}

function importedToken(options: ImportOptions, readInput: () => string): ImportedToken {
  const { token, litellmHash } = options
  if ((token === undefined) === (litellmHash === undefined))
    throw new CommandError(EXIT.usage, 'give either --token or --litellm-hash')
  if (litellmHash !== undefined) return { litellmHash }
  return { token: token === undefined || token === '-' ? readInput().trim() : token }
}

function parseGrace(text: string): number {
  const graceMs = parseDuration(text)
  if (graceMs !== undefined) return graceMs
  throw new InvalidArgumentError('Give a span such as 0s, 15m, 24h or 7d.')
}
