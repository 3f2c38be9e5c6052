import { isRecord } from '../std/record'
import { ModelListError } from './model-list'
import {
  type ModelPrice,
  type RateCard,
  type RateStep,
  SERVICE_TIERS,
  type ServiceTier,
  type TokenRates,
  type UnitPrices,
} from './price'

/** The kinds of tokens that have rates. */
export const TOKEN_RATE_NAMES = [
  'input',
  'cacheRead',
  'cacheWrite',
  'cacheWrite1h',
  'output',
  'reasoning',
  'audioInput',
  'audioCacheRead',
  'audioOutput',
  'imageInput',
  'imageOutput',
] as const satisfies readonly (keyof TokenRates)[]

/** The units that have prices. */
export const UNIT_PRICE_NAMES = [
  'request',
  'search',
  'searchLow',
  'searchHigh',
  'imageInput',
  'imageOutput',
  'audioInputSecond',
  'audioOutputSecond',
  'inputCharacter',
  'outputCharacter',
  'page',
] as const satisfies readonly (keyof UnitPrices)[]

/** Checks that parsed JSON is a price as price.ts has it. Throws a `ModelListError` that names the field behind `at`. */
export function readPrice(value: unknown, at: string): ModelPrice {
  const members = readMembers(value, ['rates', 'steps', 'tiers', 'units'], at)
  const { tiers, units } = members
  return {
    ...readCard(members, at),
    ...(tiers !== undefined && { tiers: readTiers(tiers, `${at}.tiers`) }),
    ...(units !== undefined && { units: readUnits(units, `${at}.units`) }),
  }
}

function readTiers(value: unknown, at: string): Partial<Record<ServiceTier, RateCard>> {
  const members = readMembers(value, SERVICE_TIERS, at)
  const tiers: Partial<Record<ServiceTier, RateCard>> = {}
  for (const tier of SERVICE_TIERS) {
    if (members[tier] === undefined) continue
    tiers[tier] = readCard(
      readMembers(members[tier], ['rates', 'steps'], `${at}.${tier}`),
      `${at}.${tier}`
    )
  }
  return tiers
}

function readCard(members: Readonly<Record<string, unknown>>, at: string): RateCard {
  const rates = readRates(members['rates'], `${at}.rates`)
  const { steps } = members
  if (steps === undefined) return { rates }
  if (!Array.isArray(steps)) throw new ModelListError(`${at}.steps is no list`)
  const read = steps.map((step: unknown, index) => readStep(step, `${at}.steps.${index}`))
  // The last step that is exceeded is found from the front.
  const isRising = read.every(
    (step, index) => step.aboveInputTokens > (read[index - 1]?.aboveInputTokens ?? 0)
  )
  if (!isRising) throw new ModelListError(`${at}.steps is not rising`)
  return { rates, steps: read }
}

function readStep(value: unknown, at: string): RateStep {
  const { aboveInputTokens, rates } = readMembers(value, ['aboveInputTokens', 'rates'], at)
  return {
    aboveInputTokens: readAmount(aboveInputTokens, `${at}.aboveInputTokens`),
    rates: readRates(rates, `${at}.rates`),
  }
}

function readRates(value: unknown, at: string): TokenRates {
  const members = readMembers(value, TOKEN_RATE_NAMES, at)
  const rates: { -readonly [Name in keyof TokenRates]: TokenRates[Name] } = {}
  for (const name of TOKEN_RATE_NAMES) {
    const rate = members[name]
    if (rate !== undefined) rates[name] = readAmount(rate, `${at}.${name}`)
  }
  return rates
}

function readUnits(value: unknown, at: string): UnitPrices {
  const members = readMembers(value, UNIT_PRICE_NAMES, at)
  const units: { -readonly [Name in keyof UnitPrices]: UnitPrices[Name] } = {}
  for (const name of UNIT_PRICE_NAMES) {
    const price = members[name]
    if (price !== undefined) units[name] = readAmount(price, `${at}.${name}`)
  }
  return units
}

function readAmount(value: unknown, at: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new ModelListError(`${at} is no whole number`)
}

/** A member that is not known might be a price that would go uncharged. */
function readMembers(
  value: unknown,
  known: readonly string[],
  at: string
): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw new ModelListError(`${at} is no object`)
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw new ModelListError(`${at}.${name} is not known`)
  }
  return value
}
