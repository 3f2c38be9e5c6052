/** What a configuration says of models, in the units of the ledger. Members left out are as a list has them. */
export type ModelSettings = {
  /** `provider/model`, or a glob of such names; the most specific one that says a thing counts. */
  readonly key: string
  readonly kind?: ModelSettingsKind | undefined
  readonly contextTokens?: number | undefined
  readonly maxOutputTokens?: number | undefined
  readonly abilities?: readonly ModelSettingsAbility[] | undefined
  /** In the place of a list's price as a whole. */
  readonly price?: ModelSettingsPrice | undefined
}

/** Kinds of models as models/ knows them, which config/ does not import. */
export const MODEL_SETTINGS_KINDS = [
  'chat',
  'responses',
  'completion',
  'embedding',
  'rerank',
  'moderation',
  'image',
  'speech',
  'transcription',
  'video',
  'ocr',
  'search',
  'other',
] as const

export type ModelSettingsKind = (typeof MODEL_SETTINGS_KINDS)[number]

/** Abilities of models as models/ knows them. */
export const MODEL_SETTINGS_ABILITIES = [
  'vision',
  'audio-input',
  'audio-output',
  'pdf-input',
  'video-input',
  'tools',
  'parallel-tools',
  'schema',
  'reasoning',
  'prompt-caching',
  'web-search',
  'computer-use',
  'prefill',
] as const

export type ModelSettingsAbility = (typeof MODEL_SETTINGS_ABILITIES)[number]

/** The names of token rates in a file, and in a price. */
export const PRICE_RATES = {
  input: 'input',
  cache_read: 'cacheRead',
  cache_write: 'cacheWrite',
  cache_write_1h: 'cacheWrite1h',
  output: 'output',
  reasoning: 'reasoning',
  audio_input: 'audioInput',
  audio_cache_read: 'audioCacheRead',
  audio_output: 'audioOutput',
  image_input: 'imageInput',
  image_output: 'imageOutput',
} as const

/** The names of prices of units in a file, and in a price. */
export const PRICE_UNITS = {
  request: 'request',
  search: 'search',
  search_low: 'searchLow',
  search_high: 'searchHigh',
  image_input_each: 'imageInput',
  image_output_each: 'imageOutput',
  audio_input_second: 'audioInputSecond',
  audio_output_second: 'audioOutputSecond',
  input_character: 'inputCharacter',
  output_character: 'outputCharacter',
  page: 'page',
} as const

export type RateField = keyof typeof PRICE_RATES
export type UnitField = keyof typeof PRICE_UNITS

export type ModelSettingsPrice = {
  /** Micro-USD a million tokens. */
  readonly rates: Readonly<Partial<Record<(typeof PRICE_RATES)[RateField], number>>>
  /** Nano-USD a unit. */
  readonly units?: Readonly<Partial<Record<(typeof PRICE_UNITS)[UnitField], number>>>
}

/** A file's price: each amount is in the ledger's units already. */
export type PriceFields = Readonly<Partial<Record<RateField | UnitField, number | undefined>>>

/** What a file says of the models of one key, defaults filled in. */
export type ModelFields = {
  readonly kind?: ModelSettingsKind | undefined
  readonly context?: number | undefined
  readonly max_output?: number | undefined
  readonly abilities?: readonly ModelSettingsAbility[] | undefined
  readonly price?: PriceFields | undefined
}

/** The settings of a checked `models:` section, in its order. */
export function resolveModels(
  section: Readonly<Record<string, ModelFields>>
): readonly ModelSettings[] {
  return Object.entries(section).map(([key, { kind, context, max_output, abilities, price }]) => ({
    key,
    kind,
    contextTokens: context,
    maxOutputTokens: max_output,
    abilities,
    price: price && resolvePrice(price),
  }))
}

function resolvePrice(price: PriceFields): ModelSettingsPrice {
  const rates: { [Name in (typeof PRICE_RATES)[RateField]]?: number } = {}
  const units: { [Name in (typeof PRICE_UNITS)[UnitField]]?: number } = {}
  for (const [field, amount] of Object.entries(price)) {
    if (amount === undefined) continue
    if (isRateField(field)) rates[PRICE_RATES[field]] = amount
    else if (isUnitField(field)) units[PRICE_UNITS[field]] = amount
  }
  return Object.keys(units).length > 0 ? { rates, units } : { rates }
}

function isRateField(field: string): field is RateField {
  return Object.hasOwn(PRICE_RATES, field)
}

function isUnitField(field: string): field is UnitField {
  return Object.hasOwn(PRICE_UNITS, field)
}
