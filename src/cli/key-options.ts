import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import { AdministrationError } from '../keys/administration-error'
import { parseExpiry } from '../keys/expiry'
import type { KeyBodies } from '../keys/virtual-key'
import {
  parseBudgetText,
  type ParsedLimit,
  parseLimitText,
  type StoredLimit,
} from '../limits/limit-text'
import { CommandError, EXIT } from './command-line'

/** What commands say of a key, team or organization; what was not said is left out. */
export type GroupOptions = {
  /** Of a team or organization. */
  forbidFallbacks?: boolean
  forbidEquivalents?: boolean
  models?: string[]
  denyModels?: string[]
  providers?: string[]
  denyProviders?: string[]
  credentials?: string[]
  tools?: string[]
  denyTools?: string[]
  weight?: Record<string, number>
  budget?: StoredLimit[]
  limit?: StoredLimit[]
  meta?: Record<string, string>
}

export type KeyOptions = Omit<GroupOptions, 'forbidFallbacks'> & {
  allowFallbacks?: boolean
  team?: string
  organization?: string
  /** Empty to clear it, as an option can't be null. */
  expires?: number | ''
  bodies?: KeyBodies | ''
  requireHeader?: Record<string, string>
}

/** Adds the options of a team or organization. In an update an empty text clears. */
export function addGroupOptions(command: Command): Command {
  return addCommonOptions(command)
    .option('--forbid-fallbacks', 'its keys may bring no fallbacks in their requests')
    .option('--no-forbid-fallbacks', 'its keys may, where they are allowed to')
}

/** Rights, budgets, limits and metadata. */
function addCommonOptions(command: Command): Command {
  return command
    .option(
      '--models <globs>',
      "models allowed, e.g. 'openai/*,local/*'; all unless given",
      parseGlobs
    )
    .option('--deny-models <globs>', 'models denied, whatever else is allowed', parseGlobs)
    .option('--providers <names>', 'providers allowed; all unless given', parseGlobs)
    .option('--deny-providers <names>', 'providers denied, whatever else is allowed', parseGlobs)
    .option(
      '--credentials <globs>',
      "credentials allowed, of providers with several, e.g. 'openai/prod-*'; all unless given",
      parseGlobs
    )
    .option(
      '--tools <globs>',
      "tools allowed that don't run at the client, e.g. 'web_search,mcp.*'; all unless given",
      parseGlobs
    )
    .option('--deny-tools <globs>', 'such tools denied, whatever else is allowed', parseGlobs)
    .option(
      '--weight <provider=share>',
      "its share where routes draw by weight, in the place of the route's; repeatable",
      collectWeights
    )
    .option(
      '--budget <usd/window>',
      'at most so many USD, e.g. 10/30d or 100/1mo; repeatable',
      collectBudgets
    )
    .option(
      '--limit <count/window>',
      'at most so much, e.g. 600/1m, 100000tokens/1m, 10in_flight; repeatable',
      collectLimits
    )
    .option('--forbid-equivalents', 'no other model may answer in the place of the one asked for')
    .option('--no-forbid-equivalents', 'one may, where the configuration has it so')
    .option('--meta <name=value>', 'a text to be kept with it; repeatable', collectPairs)
}

/** Adds the options of a key. In an update an empty text clears. */
export function addKeyOptions(command: Command): Command {
  return addCommonOptions(command)
    .option('--allow-fallbacks', 'its requests may bring fallbacks of their own')
    .option('--no-allow-fallbacks', 'its requests may not')
    .option('--team <name>', 'the team it belongs to')
    .option('--organization <name>', 'the organization it belongs to without a team')
    .option('--expires <when>', 'a span (12h, 30d, 4w), a date or an ISO 8601 time', parseExpires)
    .addOption(
      new Option('--bodies <what>', 'keep the bodies of its requests: off or full').argParser(
        parseBodies
      )
    )
    .option(
      '--require-header <name=value>',
      "a header its requests must carry, e.g. 'x-team=red*'; repeatable",
      collectHeaders
    )
}

/** What the administration takes for the options of a team or organization. */
export function toGroupInput(options: GroupOptions) {
  const { forbidFallbacks } = options
  return { ...toCommonInput(options), fallbacks: toForbidden(forbidFallbacks) }
}

/** What is forbidden is false; what is no longer is not said. */
function toForbidden(forbidden: boolean | undefined): false | null | undefined {
  return forbidden === undefined ? undefined : forbidden ? false : null
}

function toCommonInput(options: Omit<GroupOptions, 'forbidFallbacks'>) {
  const { models, denyModels, providers, denyProviders, credentials, tools, denyTools } = options
  const { weight, budget, limit, meta, forbidEquivalents } = options
  return {
    models,
    deniedModels: denyModels,
    providers,
    deniedProviders: denyProviders,
    credentials,
    equivalents: toForbidden(forbidEquivalents),
    tools,
    deniedTools: denyTools,
    weights: weight,
    budgets: budget,
    limits: limit,
    metadata: meta,
  }
}

/** The same for a key. An empty team is none, and an empty organization is not said. */
export function toKeyInput(options: KeyOptions) {
  const { team, organization, expires, bodies, requireHeader, allowFallbacks } = options
  return {
    ...toCommonInput(options),
    fallbacks: allowFallbacks,
    headers: requireHeader,
    team: team === '' ? null : team,
    organization: organization === '' ? undefined : organization,
    expiresAtMs: expires === '' ? null : expires,
    bodies: bodies === '' ? null : bodies,
  }
}

const EXIT_OF = { invalid: EXIT.usage, 'not-found': EXIT.notFound, conflict: EXIT.failed } as const

/** Runs what may fail for a reason that the one who asked should read. */
export function administer<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof AdministrationError)
      throw new CommandError(EXIT_OF[error.failure], error.message)
    throw error
  }
}

function parseGlobs(text: string): string[] {
  if (text === '') return []
  const globs = text.split(',').map((glob) => glob.trim())
  if (globs.includes('')) throw new InvalidArgumentError('It has an empty part.')
  return globs
}

/** Budgets as they are typed, one after another. */
export function collectBudgets(text: string, earlier: StoredLimit[] = []): StoredLimit[] {
  return collect(text, earlier, parseBudgetText)
}

/** Limits as they are typed, one after another. */
export function collectLimits(text: string, earlier: StoredLimit[] = []): StoredLimit[] {
  return collect(text, earlier, parseLimitText)
}

function collect(
  text: string,
  earlier: StoredLimit[],
  parse: (text: string) => ParsedLimit
): StoredLimit[] {
  if (text === '') return []
  const parsed = parse(text)
  if (!parsed.ok) throw new InvalidArgumentError(parsed.problem)
  return [...earlier, parsed.limit]
}

function collectPairs(text: string, earlier: Record<string, string> = {}): Record<string, string> {
  if (text === '') return {}
  const equals = text.indexOf('=')
  if (equals < 1) throw new InvalidArgumentError('Give a name and a value: name=value.')
  return { ...earlier, [text.slice(0, equals)]: text.slice(equals + 1) }
}

function collectWeights(
  text: string,
  earlier: Record<string, number> = {}
): Record<string, number> {
  if (text === '') return {}
  const equals = text.indexOf('=')
  const share = Number(text.slice(equals + 1))
  if (equals < 1 || !/^\d/.test(text.slice(equals + 1)) || Number.isNaN(share))
    throw new InvalidArgumentError('Give a provider and its share: openai=3.')
  return { ...earlier, [text.slice(0, equals)]: share }
}

function collectHeaders(text: string, earlier: Record<string, string> = {}) {
  const equals = text.indexOf('=')
  return collectPairs(text.slice(0, equals + 1).toLowerCase() + text.slice(equals + 1), earlier)
}

function parseExpires(text: string): number | '' {
  if (text === '') return ''
  const expiry = parseExpiry(text, Date.now())
  if (expiry.ok) return expiry.atMs
  throw new InvalidArgumentError(expiry.problem)
}

function parseBodies(text: string): KeyBodies | '' {
  if (text === 'off' || text === 'full' || text === '') return text
  throw new InvalidArgumentError('Allowed choices are off, full.')
}
