import { countOf, isRecord } from '../std/record'

const NANO_DIGITS = 9
/** Digits before the point that still leave a whole number of nano-USD that a double holds. */
const MAX_WHOLE_DIGITS = 15

/**
 * USD as a number or its text to nano-USD, exact and rounded half up at the ninth decimal: 1.4e-4 is 140_000.
 * `undefined` for what is no amount, or less than nothing.
 */
export function parseUsdToNano(usd: unknown): number | undefined {
  if (typeof usd !== 'number' && typeof usd !== 'string') return undefined
  const match = /^(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(String(usd))
  if (match === null) return undefined
  const [, whole = '', fraction = '', exponent = '0'] = match
  const digits = whole + fraction
  const point = whole.length + NANO_DIGITS + Number(exponent)
  if (point < 0) return 0
  if (point > MAX_WHOLE_DIGITS + NANO_DIGITS) return undefined
  const kept = digits.slice(0, point).padEnd(point, '0')
  const nano = Number(kept || '0') + ((digits[point] ?? '0') >= '5' ? 1 : 0)
  return Number.isSafeInteger(nano) ? nano : undefined
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
