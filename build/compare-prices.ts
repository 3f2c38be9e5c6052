// Holds the bundled list against another one, that of https://github.com/pydantic/genai-prices, and writes
// what they don't agree on to src/models/bundled/differences.json: `bun build/compare-prices.ts`
import { calcPrice } from '@pydantic/genai-prices'
import { join } from 'node:path'
import { readBundledModelList } from '../src/models/bundled-list'
import type { ModelList } from '../src/models/model-list'
import type { ModelPrice, TokenRates, UnitPrices } from '../src/models/price'
import { formatUsd } from '../src/pricing/format-usd'
import { scaleDecimal } from '../src/std/decimal'
import { stringOf } from '../src/std/record'

export const DIFFERENCES_PATH = join(import.meta.dir, '../src/models/bundled/differences.json')

type Rate = keyof TokenRates
type Unit = keyof UnitPrices
type OtherPrice = NonNullable<ReturnType<typeof calcPrice>>['model_price']

/** Where two lists price a model differently. */
export type Differences = {
  readonly list: string
  readonly other: string
  /** Models that both know, and of those the ones with one price. */
  readonly compared: number
  readonly agreeing: number
  /** By `provider/model`: kind, size from which it is meant, our USD and theirs; a million tokens, or each. */
  readonly differences: Readonly<Record<string, readonly string[]>>
}

/** Our names of providers, and the other list's. */
const PROVIDERS: Readonly<Record<string, string>> = {
  openai: 'openai',
  azure: 'azure',
  anthropic: 'anthropic',
  gemini: 'google',
  vertex: 'google',
  bedrock: 'aws',
  mistral: 'mistral',
  cohere: 'cohere',
  deepseek: 'deepseek',
  xai: 'x-ai',
  groq: 'groq',
  cerebras: 'cerebras',
  together: 'together',
  fireworks: 'fireworks',
  perplexity: 'perplexity',
  moonshot: 'moonshotai',
  novita: 'novita',
  zai: 'zai',
  minimax: 'minimax',
  voyage: 'voyageai',
  ovhcloud: 'ovhcloud',
  baseten: 'baseten',
}

/** The kind, the other list's name of it, and the kinds that it is charged as where it has no price: the nearest first. */
const RATES: readonly (readonly [Rate, string, readonly Rate[]])[] = [
  ['input', 'input_mtok', []],
  ['cacheRead', 'cache_read_mtok', ['input']],
  ['cacheWrite', 'cache_write_mtok', ['input']],
  ['cacheWrite1h', 'cache_write_1h_mtok', ['cacheWrite', 'input']],
  ['output', 'output_mtok', []],
  ['reasoning', 'output_reasoning_mtok', ['output']],
  ['audioInput', 'input_audio_mtok', ['input']],
  ['audioCacheRead', 'cache_audio_read_mtok', ['cacheRead', 'input']],
  ['audioOutput', 'output_audio_mtok', ['output']],
  ['imageInput', 'input_image_mtok', ['input']],
  ['imageOutput', 'output_image_mtok', ['output']],
]

/** The other list has them by the thousand. */
const UNITS: readonly (readonly [Unit, string])[] = [
  ['search', 'web_searches_kcount'],
  ['request', 'requests_kcount'],
  ['page', 'input_document_kpages'],
]

/** An hour at which nobody has a night's rebate. */
const TIMESTAMP = new Date('2026-11-23T08:00:00Z')

/** USD a million tokens to micro-USD, and USD a thousand to nano-USD each. */
const PLACES = 6

/** Compares every model of `list` that the other list knows too, at every size where a price of either changes. */
export function compareWithOtherList(list: ModelList, other: string): Differences {
  const differences: Record<string, readonly string[]> = {}
  let compared = 0
  let agreeing = 0
  for (const [provider, otherProvider] of Object.entries(PROVIDERS)) {
    const models = list.providers.get(provider)
    for (const model of models?.keys() ?? []) {
      const otherPrice = findOther(model, otherProvider)
      if (otherPrice === undefined) continue
      compared++
      const found = comparePrices(models?.get(model)?.price, otherPrice)
      if (found.length === 0) agreeing++
      else differences[`${provider}/${model}`] = found
    }
  }
  return { list: list.version, other, compared, agreeing, differences }
}

function findOther(model: string, providerId: string): OtherPrice | undefined {
  const options = { providerId, timestamp: TIMESTAMP }
  const found = calcPrice({ input_tokens: 0, output_tokens: 0 }, model, options)
  return found?.provider.id === providerId ? found.model_price : undefined
}

function comparePrices(price: ModelPrice | undefined, other: OtherPrice): string[] {
  const sizes = new Set([0, ...(price?.steps ?? []).map((step) => step.aboveInputTokens)])
  for (const value of Object.values(other)) {
    if (typeof value === 'object') for (const { start } of value.tiers) sizes.add(start)
  }
  const found: string[] = []
  for (const size of [...sizes].sort((a, b) => a - b)) {
    const ours = ratesAbove(size, price)
    const theirs = otherRatesAbove(size, other)
    for (const [kind, , holders] of RATES) {
      const rate = [kind, ...holders].map((name) => ours[name]).find(isNumber)
      const otherRate = [kind, ...holders].map((name) => theirs[name]).find(isNumber)
      // What neither list has a price of differs as the kind that holds it does.
      if (!isNumber(ours[kind]) && !isNumber(theirs[kind])) continue
      if (rate === otherRate || isNothing(rate, otherRate)) continue
      const above = size === 0 ? '' : ` above ${size}`
      found.push(`${kind}${above}: ${toUsd(rate, 1_000)} / ${toUsd(otherRate, 1_000)}`)
    }
  }
  for (const [unit, name] of UNITS) {
    const ours = price?.units?.[unit]
    const theirs = toAmount(other[name], 0)
    if (ours === theirs) continue
    found.push(`${unit}: ${toUsd(ours, 1)} / ${toUsd(theirs, 1)}`)
  }
  return found
}

/** An embedding's output that costs nothing has no price in the other list. */
function isNothing(rate: number | undefined, other: number | undefined): boolean {
  return (rate ?? 0) === 0 && (other ?? 0) === 0
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined
}

function ratesAbove(size: number, price: ModelPrice | undefined): TokenRates {
  const step = price?.steps?.findLast(({ aboveInputTokens }) => aboveInputTokens <= size)
  return { ...price?.rates, ...step?.rates }
}

function otherRatesAbove(size: number, other: OtherPrice): TokenRates {
  const rates: { -readonly [Name in Rate]?: number } = {}
  for (const [kind, name] of RATES) {
    const rate = toAmount(other[name], size)
    if (rate !== undefined) rates[kind] = rate
  }
  return rates
}

function toAmount(price: OtherPrice[string], size: number): number | undefined {
  if (price === undefined) return undefined
  if (typeof price === 'number') return scaleDecimal(price, PLACES)?.value
  const tier = price.tiers.findLast(({ start }) => start <= size)
  return scaleDecimal(size === 0 ? price.base : (tier?.price ?? price.base), PLACES)?.value
}

function toUsd(amount: number | undefined, nano: number): string {
  return amount === undefined ? 'none' : formatUsd(amount * nano)
}

/** The other list with its version, as the differences name it. */
export async function nameOtherList(): Promise<string> {
  const path = join(import.meta.dir, '../node_modules/@pydantic/genai-prices/package.json')
  const manifest: unknown = await Bun.file(path).json()
  return `@pydantic/genai-prices ${stringOf(manifest, 'version')}`
}

if (import.meta.main) {
  const differences = compareWithOtherList(readBundledModelList(), await nameOtherList())
  await Bun.write(DIFFERENCES_PATH, `${JSON.stringify(differences, undefined, 2)}\n`)
  console.log(`${differences.compared} models compared, ${differences.agreeing} agree`)
}
