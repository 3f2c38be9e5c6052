import type { ModelCard } from '../models/model-card'
import type { RequestUnits } from '../protocols/envelope'
import {
  type ModelPrice,
  type RateCard,
  SERVICE_TIERS,
  type TokenRates,
  type UnitPrices,
} from '../models/price'

/** Where neither the request nor any list says how long an answer may be. */
const UNKNOWN_OUTPUT_TOKENS = 65_536

const INPUT_RATES = [
  'input',
  'cacheRead',
  'cacheWrite',
  'cacheWrite1h',
  'audioInput',
  'audioCacheRead',
  'imageInput',
] as const
const OUTPUT_RATES = ['output', 'reasoning', 'audioOutput', 'imageOutput'] as const

/** The most that an attempt can take. Tokens, and nano-USD rounded up; no cost where the model has no price. */
export type WorstCase = {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costNanoUsd: number | undefined
}

export type WorstCaseRequest = {
  /** `boundInput` of the body. */
  readonly inputTokens: number
  /** What the request allows for one answer; `undefined` leaves it to the model. */
  readonly outputLimit: number | undefined
  readonly choices: number
  /** An embedding or a count has none. */
  readonly hasOutput: boolean
  /** Searches that a hosted tool may make. */
  readonly searches: number
  /** The service tier that is asked for. */
  readonly serviceTier: string | undefined
  /** What it can be charged for beside tokens; left out where tokens are all. */
  readonly units?: RequestUnits | undefined
}

/**
 * The bound of the input at the dearest rate that can apply to it, and the longest answer, as often as it is asked for,
 * at the dearest rate of output.
 */
export function worstCaseOf(request: WorstCaseRequest, card: ModelCard | undefined): WorstCase {
  const longest = request.outputLimit ?? card?.maxOutputTokens ?? UNKNOWN_OUTPUT_TOKENS
  const outputTokens = request.hasOutput ? longest * request.choices : 0
  const { inputTokens } = request
  const price = card?.price
  if (price === undefined) return { inputTokens, outputTokens, costNanoUsd: undefined }
  const rates = dearestRates(price, request)
  if (rates === undefined || (outputTokens > 0 && rates.output === undefined))
    return { inputTokens, outputTokens, costNanoUsd: undefined }
  const tokens = inputTokens * rates.input + outputTokens * (rates.output ?? 0)
  return { inputTokens, outputTokens, costNanoUsd: Math.ceil(tokens / 1_000) + rates.units }
}

/** The longest answer that so much money allows, rounded down; below zero where not even the input fits. */
export function outputThatFits(
  roomNanoUsd: number,
  request: WorstCaseRequest,
  card: ModelCard | undefined
): number | undefined {
  const rates = card?.price && dearestRates(card.price, request)
  if (rates?.output === undefined || rates.output === 0) return undefined
  const left = (roomNanoUsd - rates.units) * 1_000 - request.inputTokens * rates.input
  return Math.floor(left / (rates.output * request.choices))
}

type DearestRates = {
  readonly input: number
  readonly output: number | undefined
  /** Nano-USD for the request and the searches it may make. */
  readonly units: number
}

/** A request that names no tier is served in the standard one; `auto` may be served in any. */
const STANDARD: ReadonlySet<string> = new Set(['default', 'standard', 'standard_only'])

function dearestRates(price: ModelPrice, request: WorstCaseRequest): DearestRates | undefined {
  const { serviceTier, inputTokens, searches } = request
  const bounds: Bounds = { input: undefined, output: undefined }
  raise(bounds, price, inputTokens)
  if (serviceTier !== undefined && !STANDARD.has(serviceTier))
    for (const tier of SERVICE_TIERS) {
      const card = price.tiers?.[tier]
      if (card) raise(bounds, card, inputTokens)
    }
  if (request.units !== undefined) return withUnits(bounds, price.units, request.units)
  if (bounds.input === undefined) return undefined
  const { request: perRequest = 0, search = 0, searchHigh = 0 } = price.units ?? {}
  const units = perRequest + searches * Math.max(search, searchHigh)
  return { input: bounds.input, output: bounds.output, units }
}

/** What is charged by units costs nothing by tokens, unless a list has rates of them too. */
function withUnits(
  { input, output }: Bounds,
  prices: UnitPrices | undefined,
  counts: RequestUnits
): DearestRates | undefined {
  if (prices === undefined)
    return input === undefined ? undefined : { input, output: output ?? 0, units: 0 }
  const { images = 0, seconds = 0, characters = 0, pages = 0, requests = 1 } = counts
  const units =
    requests * (prices.request ?? 0) +
    images * (prices.imageOutput ?? prices.imageInput ?? 0) +
    seconds * (prices.audioInputSecond ?? prices.audioOutputSecond ?? 0) +
    characters * (prices.inputCharacter ?? 0) +
    pages * (prices.page ?? 0)
  return { input: input ?? 0, output: output ?? 0, units }
}

type Bounds = { input: number | undefined; output: number | undefined }

/** Steps that the bound of the input reaches may apply, and those below them too. */
function raise(bounds: Bounds, { rates, steps = [] }: RateCard, inputTokens: number): void {
  raiseBy(bounds, rates)
  for (const step of steps) if (inputTokens > step.aboveInputTokens) raiseBy(bounds, step.rates)
}

function raiseBy(bounds: Bounds, rates: TokenRates): void {
  for (const kind of INPUT_RATES) bounds.input = larger(bounds.input, rates[kind])
  for (const kind of OUTPUT_RATES) bounds.output = larger(bounds.output, rates[kind])
}

function larger(known: number | undefined, next: number | undefined): number | undefined {
  if (next === undefined) return known
  return known === undefined || next > known ? next : known
}
