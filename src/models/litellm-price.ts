import { scaleDecimal } from '../std/decimal'
import { isRecord } from '../std/record'
import { listPricePoints } from './list-difference'
import type { ModelKind } from './model-card'
import type { ModelPrice, RateCard, RateStep, ServiceTier, TokenRates, UnitPrices } from './price'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
type RateName = keyof TokenRates
type UnitName = keyof UnitPrices

/** Notes a price that is no whole number of our unit, and so was rounded. */
export type NoteRounding = (member: string, written: number) => void

/** USD a token to micro-USD a million, and USD to nano-USD. */
const TOKEN_PLACES = 12
const UNIT_PLACES = 9

const RATE_MEMBERS: Readonly<Record<string, RateName>> = {
  input_cost_per_token: 'input',
  input_cost_per_token_cache_hit: 'cacheRead',
  cache_read_input_token_cost: 'cacheRead',
  cache_creation_input_token_cost: 'cacheWrite',
  cache_creation_input_token_cost_above_1hr: 'cacheWrite1h',
  output_cost_per_token: 'output',
  output_cost_per_reasoning_token: 'reasoning',
  input_cost_per_audio_token: 'audioInput',
  cache_read_input_audio_token_cost: 'audioCacheRead',
  output_cost_per_audio_token: 'audioOutput',
  input_cost_per_image_token: 'imageInput',
  output_cost_per_image_token: 'imageOutput',
}

const RATE_MEMBER =
  /^(?<base>.+?(?:_token|_token_cost|_cost_above_1hr|_cache_hit))(?:_above_(?<thousands>\d+)k_tokens)?(?:_(?<tier>flex|priority|batches))?$/

const TIERS: Readonly<Record<string, ServiceTier>> = {
  flex: 'flex',
  priority: 'priority',
  batches: 'batch',
}

/** What a kind costs when it has no rate of its own; see `TokenRates`. */
const HOLDERS: readonly (readonly [RateName, RateName])[] = [
  ['cacheWrite1h', 'cacheWrite'],
  ['audioCacheRead', 'cacheRead'],
  ['cacheRead', 'input'],
  ['cacheWrite', 'input'],
  ['audioInput', 'input'],
  ['imageInput', 'input'],
  ['reasoning', 'output'],
  ['audioOutput', 'output'],
  ['imageOutput', 'output'],
]

/** Their tokens cost nothing; for others zeros beside a unit's price are only what the list does not know. */
const BY_UNIT: ReadonlySet<ModelKind> = new Set<ModelKind>(['rerank', 'search', 'embedding', 'ocr'])

/**
 * The price that an entry of LiteLLM's list says, `undefined` where it says none or nothing but zeros: those stand
 * for models nobody has a price of. Throws a `TypeError` that names the member where a price is no amount.
 * https://docs.litellm.ai/docs/proxy/custom_pricing
 */
export function readLiteLlmPrice(
  entry: Readonly<Record<string, unknown>>,
  kind: ModelKind,
  note: NoteRounding
): ModelPrice | undefined {
  const cards = readCards(entry, note)
  const standard = cards.get('standard') ?? new RateCardDraft()
  const tiers: Mutable<NonNullable<ModelPrice['tiers']>> = {}
  for (const tier of ['flex', 'priority', 'batch'] as const) {
    const draft = cards.get(tier)
    if (draft !== undefined) tiers[tier] = draft.finish(standard.rates)
  }
  const units = readUnits(entry, kind, standard.rates, note)
  const isByUnit = units !== undefined && BY_UNIT.has(kind)
  const price: ModelPrice = {
    ...(isByUnit || !isFree(standard.finish()) ? standard.finish() : { rates: {} }),
    ...(Object.keys(tiers).length > 0 && { tiers }),
    ...(units !== undefined && { units }),
  }
  // OpenAI's moderation is free: https://platform.openai.com/docs/guides/moderation
  if (kind === 'moderation' && entry['input_cost_per_token'] === 0)
    return { rates: { input: 0, output: 0 } }
  return isFree(price) ? undefined : price
}

/** The rates of one tier while the members of an entry are gone through. */
class RateCardDraft {
  readonly rates: Mutable<TokenRates> = {}
  readonly #steps = new Map<number, Mutable<TokenRates>>()

  ratesAbove(inputTokens: number): Mutable<TokenRates> {
    if (inputTokens === 0) return this.rates
    const known = this.#steps.get(inputTokens)
    if (known !== undefined) return known
    const rates: Mutable<TokenRates> = {}
    this.#steps.set(inputTokens, rates)
    return rates
  }

  /** What is charged as what holds it is left out, unless `standard` or the first step would then speak for it. */
  finish(standard: TokenRates = {}): RateCard {
    const rates = withoutRepeats(this.rates, standard)
    const steps: RateStep[] = [...this.#steps]
      .sort(([size], [other]) => size - other)
      .map(([aboveInputTokens, step]) => ({
        aboveInputTokens,
        rates: withoutRepeats(step, { ...standard, ...rates }),
      }))
    return steps.length > 0 ? { rates, steps } : { rates }
  }
}

/** A part that costs nothing beside a whole that does is one without a price of its own: no surcharge for writing. */
function withoutRepeats(rates: TokenRates, around: TokenRates): TokenRates {
  const kept: Mutable<TokenRates> = { ...rates }
  for (const [part, holder] of HOLDERS) {
    const isSame = rates[part] !== undefined && rates[part] === rates[holder]
    if (isSame && around[part] === undefined) delete kept[part]
    if (rates[part] === 0 && rates[holder]) delete kept[part]
  }
  return kept
}

function readCards(
  entry: Readonly<Record<string, unknown>>,
  note: NoteRounding
): Map<ServiceTier | 'standard', RateCardDraft> {
  const cards = new Map<ServiceTier | 'standard', RateCardDraft>()
  const cardOf = (tier: ServiceTier | 'standard') => {
    const card = cards.get(tier) ?? new RateCardDraft()
    cards.set(tier, card)
    return card
  }
  const read = (source: Readonly<Record<string, unknown>>, from: number) => {
    for (const [member, written] of Object.entries(source)) {
      const { base = '', thousands = '0', tier = '' } = RATE_MEMBER.exec(member)?.groups ?? {}
      const name = Object.hasOwn(RATE_MEMBERS, base) ? RATE_MEMBERS[base] : undefined
      if (name === undefined || written === null) continue
      const size = Math.max(from, Number(thousands) * 1_000)
      const rates = cardOf(TIERS[tier] ?? 'standard').ratesAbove(size)
      rates[name] = toAmount(member, written, TOKEN_PLACES, note)
    }
  }
  read(entry, 0)
  const ranges = entry['tiered_pricing']
  for (const range of Array.isArray(ranges) ? ranges : []) {
    if (isRecord(range)) read(range, rangeStart(range))
  }
  return cards
}

/** Ranges of input tokens, from and to: the first begins at 0. */
function rangeStart(range: Readonly<Record<string, unknown>>): number {
  const bounds = range['range']
  const from: unknown = Array.isArray(bounds) ? bounds[0] : undefined
  if (typeof from === 'number' && Number.isSafeInteger(from) && from >= 0) return from
  throw new TypeError('tiered_pricing has a range without its beginning')
}

/**
 * Prices of units. Of two ways to say one charge, tokens count: they are what answers report. Seconds are of sound
 * alone, since those of a video have a price by its height.
 */
function readUnits(
  entry: Readonly<Record<string, unknown>>,
  kind: ModelKind,
  rates: TokenRates,
  note: NoteRounding
): UnitPrices | undefined {
  const units: Mutable<UnitPrices> = {}
  const take = (unit: UnitName, ...members: string[]) => {
    const member = members.find((name) => typeof entry[name] === 'number')
    if (member === undefined) return
    const amount = toAmount(member, entry[member], UNIT_PLACES, note)
    if (amount > 0) units[unit] = amount
  }
  take('request', 'input_cost_per_request', 'input_cost_per_query')
  readSearches(entry, units, note)
  take('page', 'ocr_cost_per_page')
  const inputIsInTokens = Boolean(rates.input) || Boolean(rates.audioInput)
  const outputIsInTokens = Boolean(rates.output) || Boolean(rates.audioOutput)
  if (!rates.imageInput) take('imageInput', 'input_cost_per_image')
  // The list also has a song's price there.
  if (!rates.imageOutput && kind !== 'speech') take('imageOutput', 'output_cost_per_image')
  if (!inputIsInTokens) {
    take('inputCharacter', 'input_cost_per_character')
    // Of a transcription the list says the same seconds twice, as input and as output.
    if (kind === 'transcription')
      take('audioInputSecond', 'input_cost_per_second', 'output_cost_per_second')
    else take('audioInputSecond', 'input_cost_per_audio_per_second')
  }
  if (!outputIsInTokens) {
    take('outputCharacter', 'output_cost_per_character')
    if (kind === 'speech') take('audioOutputSecond', 'output_cost_per_second')
  }
  return Object.keys(units).length > 0 ? units : undefined
}

function readSearches(
  entry: Readonly<Record<string, unknown>>,
  units: Mutable<UnitPrices>,
  note: NoteRounding
): void {
  const prices = entry['search_context_cost_per_query']
  if (!isRecord(prices)) return
  const read = (size: string) => {
    const written = prices[`search_context_size_${size}`]
    return typeof written === 'number' && written > 0
      ? toAmount(`search_context_size_${size}`, written, UNIT_PLACES, note)
      : undefined
  }
  const low = read('low')
  const high = read('high')
  const medium = read('medium') ?? low ?? high
  if (medium === undefined) return
  units.search = medium
  if (low !== undefined && low !== medium) units.searchLow = low
  if (high !== undefined && high !== medium) units.searchHigh = high
}

function toAmount(member: string, written: unknown, places: number, note: NoteRounding): number {
  const scaled = typeof written === 'number' ? scaleDecimal(written, places) : undefined
  if (scaled === undefined || typeof written !== 'number') {
    throw new TypeError(`${member} is no amount of USD`)
  }
  if (!scaled.isExact) note(member, written)
  return scaled.value
}

function isFree(price: ModelPrice): boolean {
  return listPricePoints(price).every(({ amount }) => amount === 0)
}
