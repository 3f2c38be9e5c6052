import { priceUsage } from '../pricing/price-usage'
import type { TokenEstimator } from '../pricing/token-estimator'
import type { PromptText } from '../protocols/estimate-tokens'
import type { AnswerFacts } from '../protocols/protocol'
import type { SaidText } from '../protocols/said-text'
import { NO_USAGE, type Usage } from '../protocols/usage'
import type { RequestRecord } from './request-record'

/** An answer that is counted: its request's record, or one of its own. */
export type Metered = Pick<
  RequestRecord,
  'operation' | 'facts' | 'target' | 'serviceTier' | 'isUsageEstimated' | 'cost'
>

export type Metering = {
  record: Metered
  /** The stream broke, or was left: what the provider counted so far is not all. */
  isCut: boolean
  /** The words of the request. */
  prompt(): PromptText
}

/**
 * Notes in the record what its answer used and cost. What the provider did not count is estimated: then there is a
 * promise, which never rejects.
 */
export function meter(estimator: TokenEstimator, metering: Metering): Promise<void> | undefined {
  const { record, isCut } = metering
  const { facts, operation } = record
  if (facts === undefined || operation === 'count') return undefined
  if (operation !== 'generate' || !isMissing(facts, isCut)) return price(record)
  return estimate(estimator, metering, facts)
}

function isMissing({ usage, said }: AnswerFacts, isCut: boolean): boolean {
  if (usage?.inputTokens === undefined || usage.outputTokens === undefined) return true
  return isCut && said !== undefined && said.characters > 0
}

function price(record: Metered): undefined {
  const card = record.target?.card
  record.cost = priceUsage(record.facts?.usage, card?.price, {
    origin: card?.origin,
    isEstimated: record.isUsageEstimated,
    serviceTier: record.serviceTier,
  })
}

async function estimate(
  estimator: TokenEstimator,
  { record, isCut, prompt }: Metering,
  facts: AnswerFacts
): Promise<void> {
  const known = facts.usage ?? NO_USAGE
  const asked = known.inputTokens === undefined ? prompt() : NOTHING
  const [output = 0, ...inputs] = await estimator.count([facts.said?.text ?? '', ...asked.texts])
  let inputTokens = asked.otherTokens
  for (const count of inputs) inputTokens += count
  const outputTokens = extrapolate(output, facts.said)
  const usage: Usage = {
    ...known,
    inputTokens: known.inputTokens ?? inputTokens,
    outputTokens: isCut
      ? Math.max(known.outputTokens ?? 0, outputTokens)
      : (known.outputTokens ?? outputTokens),
  }
  record.facts = { ...facts, usage }
  record.isUsageEstimated = true
  price(record)
}

const NOTHING: PromptText = { texts: [], otherTokens: 0 }

/** What was said beyond the kept beginning is taken to be like it. */
function extrapolate(tokens: number, said: SaidText | undefined): number {
  if (said === undefined || said.characters <= said.text.length) return tokens
  return Math.ceil((tokens * said.characters) / said.text.length)
}
