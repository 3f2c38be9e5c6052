import type { ListDifference, PriceChange } from '../models/list-difference'
import type { ModelCard } from '../models/model-card'
import type { ModelPrice, RateCard } from '../models/price'
import { formatUsd } from '../pricing/format-usd'
import { layOutColumns } from './columns'

type Amounts = Readonly<Record<string, number>>

type RateCardView = {
  /** USD a million tokens. */
  rates: Amounts
  steps?: { above_input_tokens: number; rates: Amounts }[]
}

export type PriceView = RateCardView & {
  tiers?: Record<string, RateCardView>
  /** USD each. */
  units?: Amounts
}

/** A card as the command line shows it; `null` is unknown. */
export type ModelView = {
  name: string
  kind: string
  context_tokens: number | null
  max_output_tokens: number | null
  abilities: readonly string[] | null
  price: PriceView | null
  origin: string
}

export type DifferenceView = {
  added: readonly string[]
  removed: readonly string[]
  changed: { name: string; changes: PriceChangeView[] }[]
}

export type PriceChangeView = {
  kind: string
  tier: string | null
  above_input_tokens: number | null
  /** USD a million tokens, or `each`. */
  unit: 'million tokens' | 'each'
  before: number | null
  after: number | null
}

/** Micro-USD a million tokens as USD. */
const toUsdAMillion = (rate: number) => Number(formatUsd(rate * 1_000))

/** Nano-USD as USD. */
const toUsd = (price: number) => Number(formatUsd(price))

/** Shows a card under the name it was asked for by. */
export function viewModel(name: string, card: ModelCard): ModelView {
  return {
    name,
    kind: card.kind,
    context_tokens: card.contextTokens ?? null,
    max_output_tokens: card.maxOutputTokens ?? null,
    abilities: card.abilities ?? null,
    price: card.price === undefined ? null : viewPrice(card.price),
    origin: card.origin,
  }
}

function viewPrice(price: ModelPrice): PriceView {
  const { tiers, units } = price
  const tierViews = Object.entries(tiers ?? {}).map(([tier, card]) => [tier, viewCard(card)])
  return {
    ...viewCard(price),
    ...(tiers !== undefined && { tiers: Object.fromEntries(tierViews) }),
    ...(units !== undefined && { units: viewAmounts(units, toUsd) }),
  }
}

function viewCard({ rates, steps }: RateCard): RateCardView {
  const stepViews = steps?.map((step) => ({
    above_input_tokens: step.aboveInputTokens,
    rates: viewAmounts(step.rates, toUsdAMillion),
  }))
  return {
    rates: viewAmounts(rates, toUsdAMillion),
    ...(stepViews !== undefined && { steps: stepViews }),
  }
}

function viewAmounts(amounts: object, convert: (amount: number) => number): Amounts {
  const entries = Object.entries(amounts).filter(([, amount]) => typeof amount === 'number')
  return Object.fromEntries(entries.map(([kind, amount]) => [toSnakeCase(kind), convert(amount)]))
}

/** `cacheWrite1h` is `cache_write_1h` in a file. */
function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]|\d+/g, (start) => `_${start.toLowerCase()}`)
}

/** Lays models out in columns, one line each under a line of headings; prices are USD a million tokens. */
export function layOutModels(views: readonly ModelView[]): string[] {
  const rows = views.map(({ name, kind, context_tokens, max_output_tokens, price }) => [
    name,
    kind,
    context_tokens?.toString() ?? '?',
    max_output_tokens?.toString() ?? '?',
    layOutUsd(price?.rates['input']),
    layOutUsd(price?.rates['output']),
  ])
  const headings = ['MODEL', 'KIND', 'CONTEXT', 'MAX OUTPUT', 'INPUT', 'OUTPUT']
  return layOutColumns([headings, ...rows], 2)
}

/** What is known of one model, a line each; of a price every amount. */
export function layOutModel(view: ModelView): string[] {
  const { abilities, price } = view
  const count = (tokens: number | null) => (tokens === null ? 'unknown' : `${tokens} tokens`)
  const lines = [
    `model          ${view.name}`,
    `kind           ${view.kind}`,
    `context        ${count(view.context_tokens)}`,
    `output ceiling ${count(view.max_output_tokens)}`,
    `abilities      ${abilities === null ? 'unknown' : abilities.join(', ') || 'none'}`,
    `origin         ${view.origin}`,
    '',
  ]
  if (price === null) return [...lines, 'price          unknown']
  lines.push('price, USD a million tokens', ...layOutCard(price, '  '))
  for (const [tier, card] of Object.entries(price.tiers ?? {})) {
    lines.push(`  in the tier ${tier}`, ...layOutCard(card, '    '))
  }
  if (price.units !== undefined) {
    lines.push('price, USD each', ...layOutAmounts(price.units, '  '))
  }
  return lines
}

function layOutCard({ rates, steps = [] }: RateCardView, indent: string): string[] {
  const stepLines = steps.flatMap((step) => [
    `${indent}above ${step.above_input_tokens} input tokens`,
    ...layOutAmounts(step.rates, `${indent}  `),
  ])
  return [...layOutAmounts(rates, indent), ...stepLines]
}

function layOutAmounts(amounts: Amounts, indent: string): string[] {
  return Object.entries(amounts).map(
    ([kind, amount]) => `${indent}${kind.padEnd(20)} ${layOutUsd(amount)}`
  )
}

/** Plain decimals: 5e-7 would be read as a typing error. */
function layOutUsd(amount: number | undefined | null): string {
  if (amount === undefined || amount === null) return '?'
  return formatUsd(Math.round(amount * 1_000_000_000))
}

/** Shows what a list would change. */
export function viewDifference({ added, removed, changed }: ListDifference): DifferenceView {
  const entries = changed.map(({ name, changes }) => ({ name, changes: changes.map(viewChange) }))
  return { added, removed, changed: entries }
}

function viewChange(change: PriceChange): PriceChangeView {
  const convert = change.isUnit ? toUsd : toUsdAMillion
  const { before, after, aboveInputTokens } = change
  return {
    kind: toSnakeCase(change.kind),
    tier: change.tier ?? null,
    above_input_tokens: aboveInputTokens ?? null,
    unit: change.isUnit ? 'each' : 'million tokens',
    before: before === undefined ? null : convert(before),
    after: after === undefined ? null : convert(after),
  }
}

/** A line for each model and each amount, and their number at the end. */
export function layOutDifference({ added, removed, changed }: DifferenceView): string[] {
  const lines = [...added.map((name) => `+ ${name}`), ...removed.map((name) => `- ${name}`)]
  for (const { name, changes } of changed) {
    lines.push(`~ ${name}`, ...changes.map((change) => `    ${layOutChange(change)}`))
  }
  const counts = `${added.length} added, ${removed.length} removed, ${changed.length} with another price`
  return [...lines, counts]
}

function layOutChange(change: PriceChangeView): string {
  const tier = change.tier === null ? '' : `${change.tier} `
  const above = change.above_input_tokens
  const size = above === null ? '' : ` above ${above} input tokens`
  const unit = change.unit === 'each' ? 'USD each' : 'USD a million tokens'
  return `${tier}${change.kind}${size}: ${layOutUsd(change.before)} -> ${layOutUsd(change.after)} ${unit}`
}
