import { z } from 'zod'
import { scaleDecimal } from '../std/decimal'
import { fields, text } from './fields'
import {
  MODEL_SETTINGS_ABILITIES,
  MODEL_SETTINGS_KINDS,
  type RateField,
  type UnitField,
} from './model-settings'

/** USD a million tokens to micro-USD, and USD to nano-USD. */
const RATE_DECIMALS = 6
export const UNIT_DECIMALS = 9
const MAX_USD = 1_000_000
const MAX_TOKENS = 1_000_000_000

/** An amount of USD as an integer with so many decimals, to the digit that was written. */
export function usd(decimals: number, what: string) {
  const error = `USD ${what} from 0 to ${MAX_USD}, with at most ${decimals} decimals`
  return z
    .number({ error })
    .min(0, error)
    .max(MAX_USD, error)
    .transform((written, context) => {
      const scaled = scaleDecimal(written, decimals)
      if (scaled?.isExact) return scaled.value
      context.addIssue({ code: 'custom', message: error })
      return z.NEVER
    })
}

const rate = (what: string) =>
  usd(RATE_DECIMALS, 'a million tokens').optional().describe(`USD a million tokens: ${what}.`)

const each = (what: string) => usd(UNIT_DECIMALS, 'each').optional().describe(`USD for ${what}.`)

const price = () =>
  fields({
    input: rate('input'),
    output: rate('output'),
    cache_read: rate('input read from a cache; as input unless said'),
    cache_write: rate('input written to a cache; as input unless said'),
    cache_write_1h: rate('input written to a cache for an hour; as cache_write unless said'),
    reasoning: rate('reasoning; as output unless said'),
    audio_input: rate('audio in the input; as input unless said'),
    audio_cache_read: rate('audio read from a cache; as cache_read unless said'),
    audio_output: rate('audio in the output; as output unless said'),
    image_input: rate('images in the input; as input unless said'),
    image_output: rate('images in the output; as output unless said'),
    request: each('each request, beside its tokens'),
    search: each('a web search'),
    search_low: each('a web search with little context; as search unless said'),
    search_high: each('a web search with much context; as search unless said'),
    image_input_each: each('an image in the input, where images are not counted in tokens'),
    image_output_each: each('an image in the output, where images are not counted in tokens'),
    audio_input_second: each('a second of audio in the input'),
    audio_output_second: each('a second of audio in the output'),
    input_character: each('a character of the input'),
    output_character: each('a character of the output'),
    page: each('a page of a document'),
  } satisfies Record<RateField | UnitField, z.ZodType>)

function tokenCount(description: string) {
  const error = `a whole number of tokens from 1 to ${MAX_TOKENS}`
  return z.int({ error }).min(1, error).max(MAX_TOKENS, error).optional().describe(description)
}

const kindNames = MODEL_SETTINGS_KINDS.join(', ')
const abilityNames = MODEL_SETTINGS_ABILITIES.join(', ')

const model = () =>
  fields({
    kind: z
      .enum(MODEL_SETTINGS_KINDS, { error: kindNames })
      .optional()
      .describe("What it is for; as the list has it unless said, and chat where that hasn't it."),
    context: tokenCount('Tokens of input and output together.'),
    max_output: tokenCount('The most tokens of one answer.'),
    abilities: z
      .array(z.enum(MODEL_SETTINGS_ABILITIES, { error: abilityNames }), {
        error: `a list of ${abilityNames}`,
      })
      .optional()
      .describe('What it can do beside text.'),
    price: price()
      .refine((amounts) => Object.keys(amounts).length > 0, { error: 'at least one amount' })
      .optional()
      .describe("What it costs, in the place of the list's price as a whole."),
  })

/** The `models:` section: what models take, can do and cost, where no list says it or a list is to be overruled. */
export function modelsSection() {
  const refused = 'provider/model, or a glob of such names as ollama/* or */gpt-4o'
  const key = z.string().regex(/^[a-z0-9*?][a-z0-9_*?-]*\/[^\s]+$/)
  return z.record(key, model(), {
    error: (issue) =>
      issue.code === 'invalid_key' ? refused : 'a mapping of provider/model to its settings',
  })
}

/** The `model_list:` field: a newer list than the bundled one, in its format or in LiteLLM's. */
export function modelListField() {
  return text('the path of a JSON file')
    .optional()
    .describe(
      "JSON file in LiteLLM's format or that of the bundled list, in its place; relative to this file, read again on a reload."
    )
}
