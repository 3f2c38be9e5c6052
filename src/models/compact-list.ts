import { isRecord } from '../std/record'
import { ABILITIES, type Ability, MODEL_KINDS, type ModelCard, type ModelKind } from './model-card'
import { type ListedModels, type ModelList, ModelListError } from './model-list'
import { readPrice } from './read-price'

// Our own format of a list, a JSON object:
//
//   version    what rows of the log say of where a price stands
//   taken      the day, 2026-11-23
//   abilities  names, the first for bit 0
//   providers  by name, in each by the model's name, five items:
//              kind, context tokens, output ceiling, abilities as a sum of bits, price
//
// with null for what is not known. A price is a `ModelPrice` as it stands in price.ts. One model is one line, so
// that two versions can be compared line by line.

const ITEMS = 5

/** The text of a list in our own format; `readCompactList` is the way back. */
export function renderCompactList({ version, taken, providers }: ModelList): string {
  const ordered = [...providers].sort(([a], [b]) => (a < b ? -1 : 1))
  const blocks = ordered.map(([provider, models]) => {
    const lines = [...models.keys()].sort().flatMap((model) => {
      const card = models.get(model)
      return card ? [`    ${JSON.stringify(model)}: ${JSON.stringify(toItems(card))}`] : []
    })
    return `  ${JSON.stringify(provider)}: {\n${lines.join(',\n')}\n  }`
  })
  const head = [`"version": ${JSON.stringify(version)}`, `"taken": ${JSON.stringify(taken)}`]
  head.push(`"abilities": ${JSON.stringify(ABILITIES)}`)
  return `{\n${head.join(',\n')},\n"providers": {\n${blocks.join(',\n')}\n}\n}\n`
}

function toItems({ kind, contextTokens, maxOutputTokens, abilities, price }: ModelCard): unknown[] {
  const bits = abilities?.reduce((sum, ability) => sum + 2 ** ABILITIES.indexOf(ability), 0)
  return [kind, contextTokens ?? null, maxOutputTokens ?? null, bits ?? null, price ?? null]
}

/** Whether parsed JSON is of our own format rather than of another. */
export function isCompactList(value: Readonly<Record<string, unknown>>): boolean {
  return isRecord(value['providers']) && Array.isArray(value['abilities'])
}

/**
 * Reads a list in our own format from parsed JSON, of which those providers alone stay in memory that `keeps` says
 * yes to. Throws a `ModelListError` that names the field; what is wrong with a model is found when it is looked up.
 */
export function readCompactList(
  value: Readonly<Record<string, unknown>>,
  keeps: (provider: string) => boolean,
  origin?: string
): ModelList {
  const { version, taken, abilities, providers } = value
  if (typeof version !== 'string' || version === '') throw new ModelListError('version is no text')
  if (typeof taken !== 'string') throw new ModelListError('taken is no text')
  if (!isRecord(providers)) throw new ModelListError('providers is no object')
  const names = readAbilityNames(abilities)
  const kept = new Map<string, ListedModels>()
  for (const [provider, models] of Object.entries(providers)) {
    if (!isRecord(models)) throw new ModelListError(`providers.${provider} is no object`)
    if (!keeps(provider)) continue
    const place = { provider, names, origin: origin ?? version }
    kept.set(provider, {
      get: (model) =>
        Object.hasOwn(models, model) ? readCard(models[model], { ...place, model }) : undefined,
      keys: () => Object.keys(models),
    })
  }
  return { version: origin ?? version, taken, providers: kept }
}

/** A name that this version does not know is `undefined`: a later list may have more. */
function readAbilityNames(value: unknown): (Ability | undefined)[] {
  if (!Array.isArray(value) || value.length > 31) {
    throw new ModelListError('abilities is no list of at most 31 names')
  }
  const names: unknown[] = value
  return names.map((name) => ABILITIES.find((ability) => ability === name))
}

type Place = {
  readonly provider: string
  readonly model: string
  readonly names: readonly (Ability | undefined)[]
  readonly origin: string
}

function readCard(value: unknown, { provider, model, names, origin }: Place): ModelCard {
  const at = `providers.${provider}.${model}`
  if (!Array.isArray(value) || value.length !== ITEMS) {
    throw new ModelListError(`${at} has not ${ITEMS} items`)
  }
  const [kind, context, ceiling, bits, price]: unknown[] = value
  const abilityBits = readCount(bits, `${at}: the sum of abilities`)
  return {
    provider,
    model,
    kind: readKind(kind, at),
    contextTokens: readCount(context, `${at}: the context`),
    maxOutputTokens: readCount(ceiling, `${at}: the output ceiling`),
    abilities: abilityBits === undefined ? undefined : readBits(abilityBits, names),
    price: price === null ? undefined : readPrice(price, `${at}: price`),
    origin,
  }
}

/** A kind that this version does not know is `other`. */
function readKind(value: unknown, at: string): ModelKind {
  if (typeof value !== 'string') throw new ModelListError(`${at}: the kind is no text`)
  return MODEL_KINDS.find((kind) => kind === value) ?? 'other'
}

function readCount(value: unknown, what: string): number | undefined {
  if (value === null) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new ModelListError(`${what} is neither a whole number nor null`)
}

function readBits(bits: number, names: readonly (Ability | undefined)[]): Ability[] {
  const abilities: Ability[] = []
  for (const [bit, name] of names.entries()) {
    if (name !== undefined && Math.floor(bits / 2 ** bit) % 2 === 1) abilities.push(name)
  }
  return abilities
}
