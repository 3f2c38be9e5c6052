import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  type EntryFilter,
  FILTER_COLUMNS,
  type FilterName,
  isFilterName,
} from '../db/ledger-filter'
import { parseDuration } from '../std/duration'

/** What `addFilterOptions` reads. */
export type FilterOptions = Partial<Record<(typeof OWN_OPTIONS)[number], string>> & {
  from?: number
  to?: number
  where?: Conditions
}

type Conditions = Partial<Record<FilterName, string[]>>

/** Names that have an option of their own, being asked for most. */
const OWN_OPTIONS = ['key', 'team', 'user', 'tag', 'provider', 'model', 'provenance'] as const

const MAX_ROWS = 100_000

/** Adds what picks entries: `--from`, `--to`, `--where`, and an option for each of the names asked for most. */
export function addFilterOptions(command: Command): Command {
  const names = Object.keys(FILTER_COLUMNS).join(', ')
  command
    .addOption(
      new Option('--from <time>', 'since: a date, or a duration ago such as 30d').argParser(
        toTimeMs
      )
    )
    .addOption(new Option('--to <time>', 'before: the same').argParser(toTimeMs))
    .addOption(
      new Option(
        '--where <conditions>',
        `such as key=app,model=openai/*: ${names}; - for none`
      ).argParser(toConditions)
    )
  for (const name of OWN_OPTIONS)
    command.option(`--${name} <names>`, `only of these; --where ${name}=…`)
  return command
}

/** The filter that the options make. */
export function toFilter(options: FilterOptions): EntryFilter {
  const where: Conditions = { ...options.where }
  for (const name of OWN_OPTIONS) {
    const values = options[name]?.split(',')
    if (values !== undefined) where[name] = [...(where[name] ?? []), ...values]
  }
  return { fromMs: options.from ?? 0, toMs: options.to ?? Number.MAX_SAFE_INTEGER, where }
}

/** `--limit`, of rows. */
export const limitOption = (flags: string, description: string) =>
  new Option(flags, description).argParser(toCount).default(100)

/** `--csv`, which `--json` can't be beside. */
export const csvOption = () => new Option('--csv', 'print CSV').conflicts('json')

/** A comma that a name and = follow begins another condition; of one name, any value will do. */
function toConditions(text: string, before: Conditions = {}): Conditions {
  const conditions = { ...before }
  for (const condition of text.split(/,(?=[a-z_]+=)/)) {
    const at = condition.indexOf('=')
    const name = condition.slice(0, Math.max(at, 0))
    if (!isFilterName(name))
      throw new InvalidArgumentError(
        `write name=value; names: ${Object.keys(FILTER_COLUMNS).join(', ')}`
      )
    conditions[name] = [...(conditions[name] ?? []), condition.slice(at + 1)]
  }
  return conditions
}

function toTimeMs(text: string): number {
  const agoMs = parseDuration(text)
  const atMs = agoMs === undefined ? Date.parse(text) : Date.now() - agoMs
  if (Number.isNaN(atMs)) throw new InvalidArgumentError('write a date such as 2026-11-01, or 30d')
  return atMs
}

function toCount(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= MAX_ROWS) return count
  throw new InvalidArgumentError(`write a whole number from 1 to ${MAX_ROWS}`)
}
