import type { ModelList } from './model-list'
import {
  type ModelPrice,
  type RateCard,
  SERVICE_TIERS,
  type ServiceTier,
  type TokenRates,
  type UnitPrices,
} from './price'
import { TOKEN_RATE_NAMES, UNIT_PRICE_NAMES } from './read-price'

const PRICE_KINDS = [...new Set([...TOKEN_RATE_NAMES, ...UNIT_PRICE_NAMES])]

/** One amount of a price, and where in it. */
export type PricePoint = {
  readonly kind: keyof TokenRates | keyof UnitPrices
  /** Nano-USD a unit rather than micro-USD a million tokens. */
  readonly isUnit: boolean
  readonly tier: ServiceTier | undefined
  readonly aboveInputTokens: number | undefined
  readonly amount: number
}

/** One amount that differs; `undefined` where it is not there. */
export type PriceChange = Omit<PricePoint, 'amount'> & {
  readonly before: number | undefined
  readonly after: number | undefined
}

export type ListDifference = {
  /** Names as `provider/model`, in order. */
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly { readonly name: string; readonly changes: readonly PriceChange[] }[]
}

/** What `after` has, has not and prices otherwise than `before`; amounts as they are in price.ts. */
export function compareLists(before: ModelList, after: ModelList): ListDifference {
  const old = pricesOf(before)
  const renewed = pricesOf(after)
  const changed = [...renewed].flatMap(([name, price]) => {
    const changes = old.has(name) ? comparePrices(old.get(name), price) : []
    return changes.length > 0 ? [{ name, changes }] : []
  })
  return {
    added: [...renewed.keys()].filter((name) => !old.has(name)),
    removed: [...old.keys()].filter((name) => !renewed.has(name)),
    changed,
  }
}

function pricesOf({ providers }: ModelList): Map<string, ModelPrice | undefined> {
  const prices = [...providers].flatMap(([provider, models]) =>
    [...models.keys()].map((model) => [`${provider}/${model}`, models.get(model)?.price] as const)
  )
  return new Map(prices.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The amounts that differ between two prices of one model. */
export function comparePrices(
  before: ModelPrice | undefined,
  after: ModelPrice | undefined
): PriceChange[] {
  const old = new Map(listPricePoints(before).map((point) => [nameOf(point), point]))
  const renewed = new Map(listPricePoints(after).map((point) => [nameOf(point), point]))
  return [...new Map([...old, ...renewed])].flatMap(([name, point]) => {
    const { kind, isUnit, tier, aboveInputTokens } = point
    const change = { before: old.get(name)?.amount, after: renewed.get(name)?.amount }
    if (change.before === change.after) return []
    return [{ kind, isUnit, tier, aboveInputTokens, ...change }]
  })
}

function nameOf({ kind, isUnit, tier, aboveInputTokens }: PricePoint): string {
  return [kind, isUnit, tier, aboveInputTokens].join(' ')
}

/** Every amount of a price: the standard rates, their steps, other tiers, units. */
export function listPricePoints(price: ModelPrice | undefined): PricePoint[] {
  if (price === undefined) return []
  const { tiers = {} } = price
  return [
    ...listCard(price, undefined),
    ...SERVICE_TIERS.flatMap((tier) => (tiers[tier] ? listCard(tiers[tier], tier) : [])),
    ...listRates(price.units ?? {}, { isUnit: true, tier: undefined, aboveInputTokens: undefined }),
  ]
}

function listCard({ rates, steps = [] }: RateCard, tier: ServiceTier | undefined): PricePoint[] {
  const place = { isUnit: false, tier, aboveInputTokens: undefined }
  return [
    ...listRates(rates, place),
    ...steps.flatMap((step) =>
      listRates(step.rates, { ...place, aboveInputTokens: step.aboveInputTokens })
    ),
  ]
}

function listRates(
  amounts: TokenRates & UnitPrices,
  place: Omit<PricePoint, 'kind' | 'amount'>
): PricePoint[] {
  return PRICE_KINDS.flatMap((kind) => {
    const amount = amounts[kind]
    return amount === undefined ? [] : [{ kind, ...place, amount }]
  })
}
