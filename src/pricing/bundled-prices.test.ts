import { expect, test } from 'bun:test'
import { readBundledModelList } from '../models/bundled-list'
import { createModelBook } from '../models/model-book'
import {
  SERVICE_TIERS,
  type ModelPrice,
  type RateCard,
  type ServiceTier,
  type TokenRates,
} from '../models/price'
import { toModelPrice } from './fixtures/worked-example'
import { WORKED_EXAMPLES } from './fixtures/worked-examples'

const RERANK = 'the list charges for the request, Cohere for each hundred documents of it'
const XAI_STEP = 'xAI takes the higher rates from 200,000 tokens on, the list above them'

/** Where the bundled list says something else than the examples, and why. */
const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {
  'cohere/rerank-v4.0-fast search: 2000000 here, undefined there': RERANK,
  'cohere/rerank-v4.0-pro search: 2500000 here, undefined there': RERANK,
  'groq/openai/gpt-oss-120b has no flex there':
    'the list has no tiers of Groq, where flex costs what on-demand does',
  'xai/grok-4.3 standard >199999 cacheRead: 400000 here, undefined there': XAI_STEP,
  'xai/grok-4.3 standard >199999 input: 2500000 here, undefined there': XAI_STEP,
  'xai/grok-4.3 standard >199999 output: 5000000 here, undefined there': XAI_STEP,
  'xai/grok-4.7 standard >199999 cacheRead: 1000000 here, undefined there': XAI_STEP,
  'xai/grok-4.7 standard >199999 input: 4000000 here, undefined there': XAI_STEP,
  'xai/grok-4.7 standard >199999 output: 12000000 here, undefined there': XAI_STEP,
}

const catalogNames = new Set(WORKED_EXAMPLES.flatMap(({ model }) => model?.provider ?? []))
const bundled = createModelBook({
  list: readBundledModelList({ providers: catalogNames }),
  providers: [...catalogNames].map((catalogName) => ({ name: catalogName, catalogName })),
})

/** What holds a kind that has no rate of its own. */
const HOLDERS: Readonly<Partial<Record<string, keyof TokenRates>>> = {
  cacheRead: 'input',
  cacheWrite: 'input',
  cacheWrite1h: 'cacheWrite',
  audioInput: 'input',
  audioCacheRead: 'cacheRead',
  imageInput: 'input',
  reasoning: 'output',
  audioOutput: 'output',
  imageOutput: 'output',
}

type Place = { tier: ServiceTier | undefined; above: number; kind: string }

/** Every rate that a price names, by where it stands. */
function* namedRates(price: ModelPrice): Generator<Place> {
  for (const tier of [undefined, ...SERVICE_TIERS]) {
    const card = tier === undefined ? price : price.tiers?.[tier]
    if (card === undefined) continue
    for (const kind of Object.keys(card.rates)) yield { tier, above: 0, kind }
    for (const { aboveInputTokens: above, rates } of card.steps ?? [])
      for (const kind of Object.keys(rates)) yield { tier, above, kind }
  }
}

function rateAt(price: ModelPrice, { tier, above, kind }: Place): number | undefined {
  const card = tier === undefined ? price : price.tiers?.[tier]
  const named = Object.entries(ratesOf(card, above)).find(([name]) => name === kind)
  if (named !== undefined) return named[1]
  const holder = HOLDERS[kind]
  return holder === undefined ? undefined : rateAt(price, { tier, above, kind: holder })
}

function ratesOf(card: RateCard | undefined, above: number): TokenRates {
  if (above === 0) return card?.rates ?? {}
  return card?.steps?.find(({ aboveInputTokens }) => aboveInputTokens === above)?.rates ?? {}
}

function* differences(): Generator<string> {
  for (const { model, price } of WORKED_EXAMPLES) {
    if (model === undefined) continue
    const name = `${model.provider}/${model.name}`
    const listed = bundled.find(model.provider, model.name)?.price
    if (listed === undefined) {
      yield `${name} has no price`
      continue
    }
    const published = toModelPrice(price)
    for (const tier of SERVICE_TIERS)
      if (published.tiers?.[tier] && !listed.tiers?.[tier]) yield `${name} has no ${tier} there`
    for (const place of namedRates(published)) {
      const [ours, theirs] = [rateAt(published, place), rateAt(listed, place)]
      const { tier = 'standard', above, kind } = place
      if (ours !== theirs) yield `${name} ${tier} >${above} ${kind}: ${ours} here, ${theirs} there`
    }
    const units = Object.entries(listed.units ?? {})
    for (const [unit, ours] of Object.entries(published.units ?? {})) {
      const theirs = units.find(([listedUnit]) => listedUnit === unit)?.[1]
      if (ours !== theirs) yield `${name} ${unit}: ${ours} here, ${theirs} there`
    }
  }
}

test('the bundled list has the rates of the worked examples, but where it is known to differ', () => {
  expect([...new Set(differences())].sort()).toEqual(Object.keys(KNOWN_DIFFERENCES).sort())
})
