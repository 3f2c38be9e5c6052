import { priceUsage } from '../pricing/price-usage'
import type { TokenEstimator } from '../pricing/token-estimator'
import type { RequestUnits } from '../protocols/envelope'
import type { PromptText } from '../protocols/estimate-tokens'
import { toHeardTokens } from '../protocols/openai/audio'
import { toSpokenTokens } from '../protocols/openai/speech'
import type { AnswerFacts } from '../protocols/protocol'
import type { SaidText } from '../protocols/said-text'
import { NO_USAGE, type Usage } from '../protocols/usage'
import type { RequestRecord } from './request-record'
import { isFree } from './reserve'

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
  /** What it can be charged for beside tokens. */
  units?: RequestUnits | undefined
  /** About what it came to of them. */
  estimate?: RequestUnits | undefined
}

/**
 * Notes in the record what its answer used and cost. What the provider did not count is estimated: then there is a
 * promise, which never rejects.
 */
export function meter(estimator: TokenEstimator, metering: Metering): Promise<void> | undefined {
  const { record, isCut } = metering
  const { facts, operation } = record
  if (facts === undefined || isFree(operation)) return undefined
  if (operation === 'speech' && facts.usage === undefined)
    return estimateSpeech(estimator, metering, facts)
  if (operation === 'transcribe' && facts.usage === undefined)
    return estimateTranscript(estimator, metering, facts)
  // Whatever it used, each costs the same.
  if (operation === 'passthrough' && facts.usage === undefined)
    record.facts = { ...facts, usage: { ...NO_USAGE, requests: 1 } }
  const isCounted =
    operation === 'embed'
      ? facts.usage?.inputTokens !== undefined
      : operation !== 'generate' || !isMissing(facts, isCut)
  return isCounted ? price(record) : estimate(estimator, metering, facts)
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
    outputTokens:
      record.operation === 'embed'
        ? undefined
        : isCut
          ? Math.max(known.outputTokens ?? 0, outputTokens)
          : (known.outputTokens ?? outputTokens),
  }
  record.facts = { ...facts, usage }
  record.isUsageEstimated = true
  price(record)
}

/** Sound says nothing of what it took: by its text it is charged for, or estimated. */
async function estimateSpeech(
  estimator: TokenEstimator,
  { record, units, prompt }: Metering,
  facts: AnswerFacts
): Promise<void> {
  const { characters = 0 } = units ?? {}
  let usage: Usage = { ...NO_USAGE, characters }
  if (record.target?.card?.price?.units?.inputCharacter === undefined) {
    const [inputTokens = 0] = await estimator.count(prompt().texts)
    const audioOutputTokens = toSpokenTokens(characters)
    usage = { ...usage, inputTokens, outputTokens: audioOutputTokens, audioOutputTokens }
  }
  record.facts = { ...facts, usage }
  record.isUsageEstimated = true
  price(record)
}

/** A transcript that is text says nothing of what it took: by the sound that was sent it is charged for, or estimated. */
async function estimateTranscript(
  estimator: TokenEstimator,
  metering: Metering,
  facts: AnswerFacts
): Promise<void> {
  const { record } = metering
  const seconds = metering.estimate?.seconds ?? 0
  let usage: Usage = { ...NO_USAGE, seconds }
  if (record.target?.card?.price?.units?.audioInputSecond === undefined) {
    const [output = 0] = await estimator.count([facts.said?.text ?? ''])
    const inputTokens = toHeardTokens(seconds)
    const outputTokens = extrapolate(output, facts.said)
    usage = { ...usage, inputTokens, audioInputTokens: inputTokens, outputTokens }
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
