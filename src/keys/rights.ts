import { matchesGlob } from '../std/glob'
import type { Level, LevelKind, VirtualKey } from './virtual-key'

/** Entries of an allow list that a refusal repeats. */
const MANY_TOLD = 10

/** Why a model or tool may not be used. */
export type Denial = {
  readonly level: { readonly kind: LevelKind; readonly name: string }
  /** The list that decides, and for a deny list the entry of it. */
  readonly rule:
    'models' | 'deniedModels' | 'providers' | 'deniedProviders' | 'tools' | 'deniedTools'
  readonly entry: string | undefined
  /** All of it in words, which name the key only by its name. */
  readonly message: string
}

/**
 * The first reason for which a key may not use a target, named `provider/model`; `undefined` where it may. The key, its
 * team and its organization must all allow it: within each, what is denied is denied, and where something is allowed
 * all else is denied. Globs are matched one by one: some 50 ns each.
 */
export function explainRights(key: Pick<VirtualKey, 'levels'>, target: string): Denial | undefined {
  for (const level of key.levels) {
    const denial = explainLevel(level, target)
    if (denial !== undefined) return denial
  }
  return undefined
}

/** What rights and their globs call a route. */
export function toRouteName(route: string): string {
  return `${ROUTE_PREFIX}${route}`
}

const ROUTE_PREFIX = 'route/'

/**
 * Why a key may not use a target of a route that it may use: the right to a route covers its targets, whatever the allow
 * lists of models say, but what is denied stays so, and providers that are not allowed are not. `undefined` where it may.
 */
export function explainCovered(
  key: Pick<VirtualKey, 'levels'>,
  target: string
): Denial | undefined {
  for (const level of key.levels) {
    const denial = explainDenied(level, target) ?? explainProvider(level, target)
    if (denial !== undefined) return denial
  }
  return undefined
}

/** Another model may answer a key's requests in the place of the one that was asked for; unless a level says no. */
export function mayUseEquivalents({ levels }: Pick<VirtualKey, 'levels'>): boolean {
  return levels.every(({ equivalents }) => equivalents !== false)
}

/** Why a key's requests may not bring fallbacks of their own, in words; `undefined` where they may. */
export function explainFallbacks({ levels }: Pick<VirtualKey, 'levels'>): string | undefined {
  for (const { kind, name, fallbacks } of levels) {
    if (fallbacks === false) return `the ${kind} '${name}' forbids fallbacks in requests`
    if (kind === 'key' && fallbacks !== true)
      return `the key '${name}' may not bring fallbacks: it was made without --allow-fallbacks`
  }
  return undefined
}

/** Whether some list says which tools a key may use: most have none. */
export function hasToolRights({ levels }: Pick<VirtualKey, 'levels'>): boolean {
  for (const { rights } of levels)
    if (rights.tools.length > 0 || rights.deniedTools.length > 0) return true
  return false
}

/**
 * The first reason for which a key may not use a tool that doesn't run at its client, by its name: `web_search`,
 * `mcp.LABEL`, of the gateway's own MCP servers `server.tool`. `undefined` where it may. Each level must allow it, as it
 * must allow a model.
 */
export function explainTool(key: Pick<VirtualKey, 'levels'>, tool: string): Denial | undefined {
  for (const level of key.levels) {
    const { tools, deniedTools } = level.rights
    const entry = findGlob(deniedTools, tool)
    if (entry !== undefined) return deny(level, 'deniedTools', `the tool '${tool}'`, entry)
    if (tools.length > 0 && findGlob(tools, tool) === undefined)
      return deny(level, 'tools', `the tool '${tool}'`)
  }
  return undefined
}

/** Whether a key may use a target, named `provider/model`. */
export function mayUse(key: Pick<VirtualKey, 'levels'>, target: string): boolean {
  return explainRights(key, target) === undefined
}

/**
 * Which of a provider's several credentials a key may use, by their names; `undefined` for all. The key, its team and
 * its organization must each allow one; a list counts for the providers that its entries name.
 */
export function credentialRule(
  key: Pick<VirtualKey, 'levels'>,
  provider: string
): ((credential: string) => boolean) | undefined {
  const lists: (readonly string[])[] = []
  for (const { rights } of key.levels)
    if (rights.credentials.some((glob) => isOfProvider(glob, provider)))
      lists.push(rights.credentials)
  if (lists.length === 0) return undefined
  return (credential) =>
    lists.every((globs) => findGlob(globs, `${provider}/${credential}`) !== undefined)
}

function isOfProvider(glob: string, provider: string): boolean {
  return matchesGlob(glob.slice(0, glob.indexOf('/')), provider)
}

/**
 * The first header that a key asks for and a request lacks, in words; `undefined` where it has them all. `header` gives
 * a header's value by its name in lower case, and nothing for one that is not there.
 */
export function explainHeaders(
  key: Pick<VirtualKey, 'name' | 'headers'>,
  header: (name: string) => string | null | undefined
): string | undefined {
  for (const { name, value } of key.headers) {
    const given = header(name) ?? undefined
    if (given !== undefined && matchesGlob(value, given)) continue
    // The value that is asked for may be what keeps strangers out.
    return given === undefined
      ? `the key '${key.name}' may only be used with the header ${name}, which is missing`
      : `the key '${key.name}' may not be used with this value of the header ${name}`
  }
  return undefined
}

function explainLevel(level: Level, target: string): Denial | undefined {
  const denied = explainDenied(level, target)
  if (denied !== undefined) return denied
  const { models } = level.rights
  if (models.length > 0 && findGlob(models, target) === undefined)
    return deny(level, 'models', askedOf(target))
  // No provider is called so: a route's targets have theirs.
  return target.startsWith(ROUTE_PREFIX) ? undefined : explainProvider(level, target)
}

function explainDenied(level: Level, target: string): Denial | undefined {
  const { deniedModels } = level.rights
  if (deniedModels.length === 0) return undefined
  const entry = findGlob(deniedModels, target)
  return entry === undefined ? undefined : deny(level, 'deniedModels', askedOf(target), entry)
}

function explainProvider(level: Level, target: string): Denial | undefined {
  const { providers, deniedProviders } = level.rights
  if (providers.length === 0 && deniedProviders.length === 0) return undefined
  const slash = target.indexOf('/')
  const provider = slash < 0 ? target : target.slice(0, slash)
  const entry = findGlob(deniedProviders, provider)
  if (entry !== undefined) return deny(level, 'deniedProviders', askedOf(target), entry)
  if (providers.length > 0 && findGlob(providers, provider) === undefined)
    return deny(level, 'providers', askedOf(target))
  return undefined
}

const LISTS: Readonly<Record<Denial['rule'], string>> = {
  models: 'allow list of models',
  deniedModels: 'deny list of models',
  providers: 'allow list of providers',
  deniedProviders: 'deny list of providers',
  tools: 'allow list of tools',
  deniedTools: 'deny list of tools',
}

function askedOf(target: string): string {
  return target.startsWith(ROUTE_PREFIX)
    ? `the route '${target.slice(ROUTE_PREFIX.length)}'`
    : `the model '${target}'`
}

function deny(level: Level, rule: Denial['rule'], asked: string, entry?: string): Denial {
  const { kind, name, rights } = level
  const reason =
    entry === undefined
      ? `its ${LISTS[rule]} has only ${tell(rights[rule])}`
      : `its ${LISTS[rule]} has ${entry}`
  return {
    level: { kind, name },
    rule,
    entry,
    message: `the ${kind} '${name}' may not use ${asked}: ${reason}`,
  }
}

function tell(globs: readonly string[]): string {
  const told = globs.slice(0, MANY_TOLD).join(', ')
  return globs.length > MANY_TOLD ? `${told} and ${globs.length - MANY_TOLD} more` : told
}

function findGlob(globs: readonly string[], text: string): string | undefined {
  for (const glob of globs) if (matchesGlob(glob, text)) return glob
  return undefined
}
