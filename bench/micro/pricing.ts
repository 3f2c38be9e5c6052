import { readBundledModelList } from '../../src/models/bundled-list'
import { createModelBook } from '../../src/models/model-book'
import { priceUsage } from '../../src/pricing/price-usage'
import { NO_USAGE, type Usage } from '../../src/protocols/usage'
import { createPiece, inTurn, type Piece } from './piece'

const PROVIDERS = ['openai', 'anthropic', 'gemini']

/** What answers commonly say, and one that says all there is. */
const USAGES: readonly Usage[] = [
  { ...NO_USAGE, inputTokens: 1_117, outputTokens: 46, cacheReadTokens: 0 },
  { ...NO_USAGE, inputTokens: 200_001, outputTokens: 900, cacheReadTokens: 150_000 },
  { ...NO_USAGE, inputTokens: 9_001, outputTokens: 2_049, serviceTier: 'flex', searches: 2 },
  {
    ...NO_USAGE,
    ...{ inputTokens: 5_017, outputTokens: 333, cacheReadTokens: 1_024, cacheWriteTokens: 512 },
    ...{ audioInputTokens: 300, imageInputTokens: 560, reasoningTokens: 120 },
  },
]

/** The card of a model in the bundled list, and what an answer cost by it. */
export function createPricingPieces(): Piece[] {
  const list = readBundledModelList({ providers: new Set(PROVIDERS) })
  const providers = PROVIDERS.map((catalogName) => ({ name: catalogName, catalogName }))
  const book = createModelBook({ list, providers })
  const models = PROVIDERS.flatMap((provider) =>
    [...(list.providers.get(provider)?.keys() ?? [])].map((model) => ({ provider, model }))
  )
  const freshModel = inTurn(models)
  const freshUsage = inTurn(USAGES)
  return [
    createPiece({
      work: 'look up a price and price an answer',
      budgetMicros: 3,
      fresh: () => ({ ...freshModel(), usage: freshUsage() }),
      run: ({ provider, model, usage }) => {
        const card = book.find(provider, model)
        return priceUsage(usage, card?.price, { origin: card?.origin })
      },
    }),
  ]
}
