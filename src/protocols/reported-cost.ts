import { scaleDecimal } from '../std/decimal'
import { countOf, isRecord } from '../std/record'

const NANO_PLACES = 9

/**
 * USD as a number or its text to nano-USD, exact and rounded half up at the ninth decimal: 1.4e-4 is 140_000.
 * `undefined` for what is no amount, or less than nothing.
 */
export function parseUsdToNano(usd: unknown): number | undefined {
  if (typeof usd !== 'number' && typeof usd !== 'string') return undefined
  return scaleDecimal(usd, NANO_PLACES)?.value
}

/**
 * What a host's `usage` itself says the answer cost, in nano-USD; `undefined` where it says nothing. xAI counts ticks,
 * ten thousand million a USD; Perplexity sums its parts; OpenRouter counts credits, one a USD, and with a provider's
 * key of one's own (`is_byok`) that provider's bill comes on top of its fee.
 * https://docs.x.ai/developers/cost-tracking, https://docs.perplexity.ai/api-reference/chat-completions-post,
 * https://openrouter.ai/docs/use-cases/usage-accounting
 */
export function reportedCost(usage: Record<string, unknown>): number | undefined {
  const ticks = countOf(usage, 'cost_in_usd_ticks')
  if (ticks !== undefined) return Math.floor((ticks + 5) / 10)
  const { cost } = usage
  if (isRecord(cost)) return parseUsdToNano(cost.total_cost)
  const charged = parseUsdToNano(cost)
  if (charged === undefined || usage.is_byok === false) return charged
  const details = usage.cost_details
  const upstream = isRecord(details) ? parseUsdToNano(details.upstream_inference_cost) : undefined
  return charged + (upstream ?? 0)
}
