import {
  SERVICE_TIERS,
  type ModelPrice,
  type RateCard,
  type TokenRates,
  type UnitPrices,
} from '../models/price'
import type { Usage } from '../protocols/usage'
import type { Cost, CostKind, CostLine, CostProvenance } from './cost'

export type PriceOptions = {
  /** The list or configuration that the price stands in. */
  origin: string | undefined
  /** The usage is an estimate. */
  isEstimated?: boolean
  /** The service tier that was asked for: counts where the answer names none. */
  serviceTier?: string | undefined
  /** It was asked for in a batch, whatever tier its answer names: OpenAI's says `default` there. */
  isBatch?: boolean
}

/**
 * What an answer cost: each kind's tokens at its rate, in nano-USD, rounded once a kind, half up. A kind without a rate
 * of its own costs what the kind costs that holds it. What is needed and not known makes the cost unknown, never zero;
 * the lines that are known stay. A cost that the provider itself reports wins over ours, and the lines stay as the
 * explanation. The size of the whole input, caches included, chooses the rates of all tokens:
 * https://ai.google.dev/gemini-api/docs/pricing, https://developers.openai.com/api/docs/pricing
 */
export function priceUsage(
  usage: Usage | undefined,
  price: ModelPrice | undefined,
  options: PriceOptions
): Cost {
  const tier = tierOf(usage, options)
  const card = tier === undefined ? price : cardOf(price, tier)
  if (usage === undefined || price === undefined || card === undefined)
    return toCost(usage, undefined, tier, options)
  const bill = new Bill(card, tier === undefined ? undefined : price, usage)
  chargeInput(bill, usage, price.units)
  chargeOutput(bill, usage)
  chargeUnits(bill, usage, price.units)
  return toCost(usage, bill, tier, options)
}

/**
 * Paid for ahead, or faster for more than any list says, so that the standard rates would be wrong: OpenAI's scale
 * tier, Bedrock's reserved, Google's provisioned throughput, Groq's performance, Anthropic's fast mode.
 * https://openai.com/api-scale-tier/, https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html,
 * https://cloud.google.com/vertex-ai/generative-ai/docs/provisioned-throughput/overview,
 * https://console.groq.com/docs/service-tiers, https://platform.claude.com/docs/en/build-with-claude/fast-mode
 */
const UNLISTED_TIERS = ['scale', 'reserved', 'provisioned_throughput', 'performance', 'fast']
const BATCH = 'batch'

/** Every other word is the standard tier: `default`, `standard`, `ON_DEMAND`, `auto`. Vertex ends its words with ours. */
function tierOf(
  usage: Usage | undefined,
  { serviceTier, isBatch }: PriceOptions
): string | undefined {
  if (isBatch === true) return BATCH
  const word = usage?.serviceTier ?? serviceTier
  if (word === undefined) return undefined
  const lower = word.toLowerCase()
  for (const tier of SERVICE_TIERS) if (lower === tier || lower.endsWith(`_${tier}`)) return tier
  return UNLISTED_TIERS.includes(lower) ? lower : undefined
}

function cardOf(price: ModelPrice | undefined, tier: string): RateCard | undefined {
  for (const listed of SERVICE_TIERS) if (listed === tier) return price?.tiers?.[listed]
  return undefined
}

const NO_LINES: readonly CostLine[] = []

function toCost(
  usage: Usage | undefined,
  bill: Bill | undefined,
  tier: string | undefined,
  { origin, isEstimated = false }: PriceOptions
): Cost {
  const computed = bill?.isKnown ? bill.total : undefined
  const reported = usage?.reportedCostNanoUsd
  let provenance: CostProvenance = isEstimated ? 'estimated' : 'computed'
  if (reported !== undefined) provenance = 'reported'
  else if (computed === undefined) provenance = 'unknown'
  return {
    costNanoUsd: reported ?? computed,
    provenance,
    lines: bill?.lines ?? NO_LINES,
    tier,
    aboveInputTokens: bill?.aboveInputTokens,
    priceOrigin: origin,
  }
}

/** The lines of one answer, put together at the rates of its tier and size. */
class Bill {
  readonly lines: CostLine[] = []
  total = 0
  readonly aboveInputTokens: number | undefined
  readonly #card: RateCard
  readonly #step: RateStep
  readonly #standard: RateCard | undefined
  readonly #standardStep: RateStep
  readonly #percent: number
  #isComplete = true

  /** `standard`: where the card is of a tier, the price that it differs from. */
  constructor(card: RateCard, standard: RateCard | undefined, usage: Usage) {
    const { inputTokens = 0, ratePercent = 100 } = usage
    this.#percent = ratePercent
    this.#card = card
    this.#standard = standard
    this.#step = stepOf(card, inputTokens)
    this.#standardStep = standard && stepOf(standard, inputTokens)
    this.aboveInputTokens = (this.#step ?? this.#standardStep)?.aboveInputTokens
  }

  /** Every kind that was used had a rate, and the counts were of this world. */
  get isKnown(): boolean {
    return this.#isComplete && Number.isSafeInteger(this.total)
  }

  /** The rate of a kind where one is said. A tier, and a step, says only what differs. */
  rate(kind: RateName): number | undefined {
    const rate =
      this.#step?.rates[kind] ??
      this.#card.rates[kind] ??
      this.#standardStep?.rates[kind] ??
      this.#standard?.rates[kind]
    if (rate === undefined || this.#percent === 100) return rate
    return Math.round((rate * this.#percent) / 100)
  }

  /** So many tokens of a kind, at its own rate or else at that of what holds it. */
  tokens(kind: CostKind, quantity: number, name: RateName, holder?: RateName): void {
    if (quantity <= 0) return
    const rate = this.rate(name) ?? (holder && this.#heldRate(holder))
    if (rate === undefined) this.#isComplete = false
    else this.#add(kind, quantity, rate, toNano(quantity, rate))
  }

  /** So many units at `rate`, nano-USD each. */
  units(kind: CostKind, quantity: number | undefined, rate: number | undefined): void {
    if (!quantity) return
    if (rate === undefined) this.#isComplete = false
    else this.#add(kind, quantity, rate, quantity * rate)
  }

  /** Units of an answer without tokens, where they have a price: then they must have been counted. */
  unitsInPlaceOfTokens(
    kind: CostKind,
    quantity: number | undefined,
    rate: number | undefined
  ): void {
    if (rate === undefined) return
    if (quantity === undefined) this.#isComplete = false
    else this.units(kind, quantity, rate)
  }

  /** Of all that holds something, only what was written to a cache is held itself. */
  #heldRate(holder: RateName): number | undefined {
    const rate = this.rate(holder)
    return rate === undefined && holder === 'cacheWrite' ? this.rate('input') : rate
  }

  /** Something is charged for that nobody counted. */
  miss(): void {
    this.#isComplete = false
  }

  #add(kind: CostKind, quantity: number, rate: number, costNanoUsd: number): void {
    this.lines.push({ kind, quantity, rate, costNanoUsd })
    this.total += costNanoUsd
  }
}

type RateName = keyof TokenRates
type RateStep = NonNullable<RateCard['steps']>[number] | undefined

function stepOf({ steps }: RateCard, inputTokens: number): RateStep {
  let last: RateStep
  if (steps !== undefined)
    for (const step of steps) {
      if (inputTokens <= step.aboveInputTokens) break
      last = step
    }
  return last
}

/** Tokens × micro-USD a million are thousandths of a nano-USD; half up. */
function toNano(tokens: number, rate: number): number {
  const product = tokens * rate
  if (product <= Number.MAX_SAFE_INTEGER - 500) return Math.floor((product + 500) / 1_000)
  return Number((BigInt(tokens) * BigInt(rate) + 500n) / 1_000n)
}

/** A part cannot be more than what is left of its whole: a host that says so would be billed below zero. */
function partOf(part: number | undefined, left: number | undefined): number {
  return part === undefined || left === undefined ? 0 : Math.max(0, Math.min(part, left))
}

function less(count: number | undefined, taken: number): number | undefined {
  return count === undefined ? undefined : count - taken
}

/**
 * Each token once, in the first of these that claims it: cached audio (where it has a rate), cache reads, writes for an
 * hour, other writes, audio, images, plain input. Hosts do not say which of the cached tokens were images.
 */
function chargeInput(bill: Bill, usage: Usage, units: UnitPrices | undefined): void {
  if (usage.inputTokens === undefined) {
    const input = bill.rate('input')
    // Where only units are charged for, as of a rerank, nobody need count tokens.
    if (input !== 0 && (input !== undefined || units === undefined)) bill.miss()
    return
  }
  let left = usage.inputTokens
  const cachedAudio = partOf(usage.audioCacheReadTokens, left)
  const audioRead = cachedAudio > 0 && bill.rate('audioCacheRead') !== undefined ? cachedAudio : 0
  const read = partOf(less(usage.cacheReadTokens, audioRead), (left -= audioRead))
  const hour = partOf(partOf(usage.cacheWrite1hTokens, usage.cacheWriteTokens), (left -= read))
  const written = partOf(less(usage.cacheWriteTokens, hour), (left -= hour))
  const audio = partOf(less(usage.audioInputTokens, cachedAudio), (left -= written))
  const image = partOf(usage.imageInputTokens, (left -= audio))
  bill.tokens('input', left - image, 'input')
  bill.tokens('cache-read', read, 'cacheRead', 'input')
  bill.tokens('cache-write', written, 'cacheWrite', 'input')
  bill.tokens('cache-write-1h', hour, 'cacheWrite1h', 'cacheWrite')
  bill.tokens('audio-cache-read', audioRead, 'audioCacheRead')
  bill.tokens('audio-input', audio, 'audioInput', 'input')
  bill.tokens('image-input', image, 'imageInput', 'input')
}

/** As `chargeInput`: images, audio, reasoning (where it has a rate), plain output. */
function chargeOutput(bill: Bill, usage: Usage): void {
  if (usage.outputTokens === undefined) {
    // What has no output, as an embedding, has no rate of it either.
    if (bill.rate('output')) bill.miss()
    return
  }
  let left = usage.outputTokens
  const image = partOf(usage.imageOutputTokens, left)
  const audio = partOf(usage.audioOutputTokens, (left -= image))
  const thought = partOf(usage.reasoningTokens, (left -= audio))
  const reasoning = thought > 0 && bill.rate('reasoning') !== undefined ? thought : 0
  bill.tokens('output', left - reasoning, 'output')
  bill.tokens('reasoning', reasoning, 'reasoning')
  bill.tokens('audio-output', audio, 'audioOutput', 'output')
  bill.tokens('image-output', image, 'imageOutput', 'output')
}

function chargeUnits(bill: Bill, usage: Usage, units: UnitPrices | undefined): void {
  bill.units('search', usage.searches, searchPrice(usage.searchContext, units))
  if (units === undefined) return
  if (units.request !== undefined) bill.units('request', usage.requests ?? 1, units.request)
  const { inputTokens, outputTokens } = usage
  // xAI's list has what an image costs as one of the input.
  const image = units.imageOutput ?? units.imageInput
  const second = units.audioInputSecond ?? units.audioOutputSecond
  if (outputTokens === undefined) bill.unitsInPlaceOfTokens('image', usage.images, image)
  if (inputTokens !== undefined) return
  bill.unitsInPlaceOfTokens('second', usage.seconds, second)
  bill.unitsInPlaceOfTokens('character', usage.characters, units.inputCharacter)
  bill.unitsInPlaceOfTokens('page', usage.pages, units.page)
}

function searchPrice(context: string | undefined, units: UnitPrices | undefined) {
  if (context === 'low') return units?.searchLow ?? units?.search
  if (context === 'high') return units?.searchHigh ?? units?.search
  return units?.search
}
