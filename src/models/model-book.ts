import { matchesGlob } from '../std/glob'
import type { Ability, ModelBook, ModelCard, ModelKind } from './model-card'
import type { ModelList } from './model-list'
import { isFreeByName, otherNames } from './model-names'
import type { ModelPrice } from './price'

/** What a configuration says of models; what it leaves out is as the list has it. */
export type ModelOverride = {
  /** `provider/model` by the configuration's name of the provider; a glob, of which the most specific counts. */
  readonly key: string
  readonly kind?: ModelKind | undefined
  readonly contextTokens?: number | undefined
  readonly maxOutputTokens?: number | undefined
  readonly abilities?: readonly Ability[] | undefined
  /** In the place of the list's price as a whole. */
  readonly price?: ModelPrice | undefined
}

/** A provider whose models are looked up. */
export type BookProvider = {
  /** The configuration's. */
  readonly name: string
  /** The catalog's; `undefined` for hosts that it has not: only overrides speak of their models. */
  readonly catalogName: string | undefined
  /** Where its models are served, for hosts whose list has prices of single regions (Bedrock). */
  readonly region?: string | undefined
}

export type ModelBookOptions = {
  /** A function is called at the first lookup, so that nothing is read before it is needed. */
  readonly list: ModelList | (() => ModelList)
  readonly overrides?: readonly ModelOverride[]
  readonly providers: readonly BookProvider[]
}

/** Where the same list is for several rows of the catalog: other ways to the same models at the same price. */
const LISTED_AS: Readonly<Record<string, string>> = {
  'azure-anthropic': 'azure',
  'azure-deployments': 'azure',
}

// Clients choose the names that are looked up: what was found or missed is remembered up to a bound.
const MAX_REMEMBERED = 4_096
const MAX_NAME_LENGTH = 512

const FREE: ModelPrice = { rates: { input: 0, output: 0 } }

/** The catalog's names of providers whose cards a book for `providers` needs of a list. */
export function listedProviders(providers: readonly BookProvider[]): ReadonlySet<string> {
  return new Set(
    providers.flatMap(({ catalogName }) => (catalogName === undefined ? [] : listedAs(catalogName)))
  )
}

/**
 * Finds cards by the configuration's name of a provider, or by the catalog's where no provider is named so. A
 * name that was looked up before takes two lookups in maps. See `otherNames` for the names a model is also found by.
 */
export function createModelBook({ list, overrides = [], providers }: ModelBookOptions): ModelBook {
  const finders = new Map<string, (model: string) => ModelCard | undefined>()
  let read: ModelList | undefined
  const readList = () => (read ??= typeof list === 'function' ? list() : list)
  const add = (provider: BookProvider, name: string) =>
    finders.set(name, createFinder(provider, overridesOf(name, overrides), readList))
  for (const provider of providers) {
    const { catalogName } = provider
    if (catalogName !== undefined) add({ ...provider, name: catalogName }, catalogName)
  }
  for (const provider of providers) add(provider, provider.name)
  return { find: (provider, model) => finders.get(provider)?.(model) }
}

function createFinder(
  provider: BookProvider,
  overrides: readonly ModelOverride[],
  readList: () => ModelList
): (model: string) => ModelCard | undefined {
  let remembered = new Map<string, ModelCard | undefined>()
  return (model) => {
    const known = remembered.get(model)
    if (known !== undefined || remembered.has(model)) return known
    if (model.length > MAX_NAME_LENGTH) return undefined
    const listed = findListed(provider, model, readList)
    const card = withOverrides(provider.name, model, listed, overrides)
    if (remembered.size >= MAX_REMEMBERED) remembered = new Map()
    remembered.set(model, card)
    return card
  }
}

function findListed(
  { catalogName, region }: BookProvider,
  model: string,
  readList: () => ModelList
): ModelCard | undefined {
  if (catalogName === undefined) return undefined
  const provider = listedAs(catalogName)
  const cards = readList().providers.get(provider)
  const find = (name: string) =>
    (region === undefined ? undefined : cards?.get(`${region}/${name}`)) ?? cards?.get(name)
  let card = find(model)
  if (card === undefined) {
    for (const { name, isSamePrice } of otherNames(provider, model)) {
      const other = find(name)
      if (other === undefined) continue
      card = isSamePrice ? other : { ...other, price: undefined }
      break
    }
  }
  if (card?.price !== undefined || !isFreeByName(provider, model)) return card
  return { ...(card ?? unknownCard(provider, model)), price: FREE, origin: 'name' }
}

/** OpenRouter's free variants are models of their own, whose limits may be smaller. */
function unknownCard(provider: string, model: string): Omit<ModelCard, 'price' | 'origin'> {
  const unknown = { contextTokens: undefined, maxOutputTokens: undefined, abilities: undefined }
  return { provider, model, kind: 'chat', ...unknown }
}

function listedAs(catalogName: string): string {
  return (Object.hasOwn(LISTED_AS, catalogName) && LISTED_AS[catalogName]) || catalogName
}

/** Those that may speak of a provider's models, the most specific first. */
function overridesOf(
  provider: string,
  overrides: readonly ModelOverride[]
): readonly ModelOverride[] {
  const isAbout = ({ key }: ModelOverride) => {
    const slash = key.indexOf('/')
    return slash < 0 || /[*?]/.test(key.slice(0, slash)) || key.slice(0, slash) === provider
  }
  return overrides.filter(isAbout).toSorted((a, b) => weigh(b.key) - weigh(a.key))
}

/** A name is more specific than any glob, and a glob the more, the more of it stands for itself. */
function weigh(key: string): number {
  const literals = key.replace(/[*?]/g, '').length
  return literals === key.length ? Infinity : literals
}

/** Each member is that of the most specific override that says it. */
function withOverrides(
  provider: string,
  model: string,
  listed: ModelCard | undefined,
  overrides: readonly ModelOverride[]
): ModelCard | undefined {
  const name = `${provider}/${model}`
  const matching = overrides.filter(({ key }) => key === name || matchesGlob(key, name))
  if (matching.length === 0) return listed
  const price = matching.find((override) => override.price !== undefined)?.price
  const pick = <Name extends keyof ModelOverride & keyof ModelCard>(member: Name) =>
    matching.find((override) => override[member] !== undefined)?.[member]
  return {
    provider: listed?.provider ?? provider,
    model: listed?.model ?? model,
    // What nobody lists is most often somebody's own language model.
    kind: pick('kind') ?? listed?.kind ?? 'chat',
    contextTokens: pick('contextTokens') ?? listed?.contextTokens,
    maxOutputTokens: pick('maxOutputTokens') ?? listed?.maxOutputTokens,
    abilities: pick('abilities') ?? listed?.abilities,
    price: price ?? listed?.price,
    origin: price !== undefined || listed === undefined ? 'configuration' : listed.origin,
  }
}
