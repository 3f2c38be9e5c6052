import type { OrderedGroup } from '../config/route-settings'
import type { ModelCard } from '../models/model-card'
import type { ModelPrice, RateCard } from '../models/price'
import type { PlannedTarget } from './plan'
import type { RouteSignals } from './route-signals'

/** What one member of a group comes to: its targets in order, the first of which stands for it. */
export type Candidate = {
  readonly first: PlannedTarget
  readonly targets: readonly PlannedTarget[]
  readonly weight: number
}

/** The request as strategies see it. */
export type StrategyRequest = {
  readonly signals: RouteSignals
  /** What its input will about be. */
  estimatedTokens(): number
  readonly outputLimit: number | undefined
}

/** A candidate in its place, and why. */
export type Ranked = { readonly candidate: Candidate; readonly reason: string }

/** Where a request does not say how long its answer may be, prices are compared for one of this length. */
const USUAL_OUTPUT_TOKENS = 1_000

/** Puts candidates in order. All of them are given back; of none, none. */
export function rank(
  strategy: OrderedGroup['strategy'],
  candidates: readonly Candidate[],
  request: StrategyRequest
): readonly Ranked[] {
  switch (strategy) {
    case 'fallback':
      return candidates.map((candidate, at) => ({ candidate, reason: PLACES[at] ?? `${at + 1}th` }))
    case 'weighted':
      return rankByWeight(candidates, request.signals)
    case 'least_latency':
      return rankByLatency(candidates, request.signals)
    case 'lowest_cost':
      return rankByCost(candidates, request)
    case 'highest_throughput':
      return rankByThroughput(candidates, request.signals)
  }
}

const PLACES = ['1st in order', '2nd in order', '3rd in order'].concat(
  Array.from({ length: 61 }, (_, at) => `${at + 4}th in order`)
)

/** Draws without replacement: each draw takes one in proportion to its weight among those that are left. */
function rankByWeight(candidates: readonly Candidate[], { random }: RouteSignals): Ranked[] {
  const left = [...candidates]
  const ranked: Ranked[] = []
  let total = 0
  for (const { weight } of left) total += weight
  while (left.length > 0) {
    const at = draw(left, total * random())
    const [candidate] = left.splice(at, 1)
    if (candidate === undefined) break
    const verb = ranked.length === 0 ? 'drawn' : 'drawn next'
    ranked.push({ candidate, reason: `${verb} by weight ${candidate.weight} of ${total}` })
    total -= candidate.weight
  }
  return ranked
}

/** Those without a weight come behind all others, in the order in which they were written. */
function draw(candidates: readonly Candidate[], point: number): number {
  let passed = 0
  for (const [at, { weight }] of candidates.entries()) {
    passed += weight
    if (point < passed) return at
  }
  const weighted = candidates.findLastIndex(({ weight }) => weight > 0)
  return Math.max(0, weighted)
}

/**
 * The better of two that are drawn at random, then the others by what they promise: no target draws everyone at once.
 * A target promises its time to the first token as often as there are requests under way, and one more:
 * https://www.eecs.harvard.edu/~michaelm/postscripts/handbook2001.pdf,
 * https://twitter.github.io/finagle/guide/Clients.html#power-of-two-choices-p2c-least-loaded
 */
function rankByLatency(candidates: readonly Candidate[], signals: RouteSignals): Ranked[] {
  const measured = candidates.map((candidate) => {
    const { target } = candidate.first
    const latencyMs = signals.latencyMs(target)
    const inFlight = signals.inFlight(target)
    return { candidate, latencyMs, inFlight, load: (latencyMs ?? 0) * (inFlight + 1) }
  })
  drawPair(measured, signals.random)
  const [one, other] = measured
  if (one && other && isBehind(one, other)) [measured[0], measured[1]] = [other, one]
  const [best, ...rest] = measured
  if (best === undefined) return []
  rest.sort((a, b) => a.load - b.load || a.inFlight - b.inFlight)
  const describe = ({ latencyMs, inFlight }: (typeof measured)[number]) =>
    latencyMs === undefined
      ? 'not measured yet'
      : `${Math.round(latencyMs)} ms to the first token, ${inFlight} under way`
  return [
    {
      candidate: best.candidate,
      reason: candidates.length > 1 ? `better of two: ${describe(best)}` : describe(best),
    },
    ...rest.map((one) => ({ candidate: one.candidate, reason: describe(one) })),
  ]
}

type Load = { readonly load: number; readonly inFlight: number }

function isBehind(one: Load, other: Load): boolean {
  return one.load === other.load ? one.inFlight > other.inFlight : one.load > other.load
}

/** Brings two different ones, drawn at random, to the front. */
function drawPair<Item>(items: Item[], random: () => number): void {
  for (let at = 0; at < Math.min(2, items.length - 1); at++) {
    const from = at + Math.floor(random() * (items.length - at))
    const [drawn] = items.splice(from, 1)
    if (drawn !== undefined) items.splice(at, 0, drawn)
  }
}

function rankByCost(candidates: readonly Candidate[], request: StrategyRequest): Ranked[] {
  const outputTokens = request.outputLimit ?? USUAL_OUTPUT_TOKENS
  const inputTokens = request.estimatedTokens()
  const priced = candidates.map((candidate) => ({
    candidate,
    nanoUsd: estimateCost(candidate.first.target.card, inputTokens, outputTokens),
  }))
  priced.sort((a, b) => (a.nanoUsd ?? Infinity) - (b.nanoUsd ?? Infinity) || 0)
  return priced.map(({ candidate, nanoUsd }) => ({
    candidate,
    reason: nanoUsd === undefined ? 'of unknown price' : `about ${nanoUsd / 1e9} USD`,
  }))
}

/** Nano-USD of a request of that size at its plain rates; `undefined` where they are not known. */
function estimateCost(
  card: ModelCard | undefined,
  inputTokens: number,
  outputTokens: number
): number | undefined {
  const price: ModelPrice | undefined = card?.price
  if (price?.rates.input === undefined) return undefined
  const { input = 0, output = 0 } = ratesFor(price, inputTokens)
  // Rates are micro-USD a million tokens, so a token costs a thousandth of them in nano-USD.
  const tokens = (inputTokens * input + outputTokens * output) / 1_000
  return Math.round(tokens) + (price.units?.request ?? 0)
}

function ratesFor({ rates, steps = [] }: RateCard, inputTokens: number): RateCard['rates'] {
  const step = steps.findLast(({ aboveInputTokens }) => inputTokens > aboveInputTokens)
  return step === undefined ? rates : { ...rates, ...step.rates }
}

/** Those that were not measured come first, so that they are. */
function rankByThroughput(candidates: readonly Candidate[], signals: RouteSignals): Ranked[] {
  const measured = candidates.map((candidate) => ({
    candidate,
    rate: signals.throughput(candidate.first.target),
  }))
  const unknown = measured.filter(({ rate }) => rate === undefined)
  drawPair(unknown, signals.random)
  const known = measured.filter(({ rate }) => rate !== undefined)
  known.sort((a, b) => (b.rate ?? 0) - (a.rate ?? 0))
  return [...unknown, ...known].map(({ candidate, rate }) => ({
    candidate,
    reason: rate === undefined ? 'not measured yet' : `${Math.round(rate)} tokens a second`,
  }))
}
