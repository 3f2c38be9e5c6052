import type { OrderedGroup } from '../config/route-settings'
import type { ModelCard } from '../models/model-card'
import type { ModelPrice, RateCard } from '../models/price'
import type { PlannedTarget } from './plan'
import type { RouteSignals } from './route-signals'

/** A target of a plan under way: each group around it says more of why it stands there. */
export type PlanDraft = { -readonly [Name in keyof PlannedTarget]: PlannedTarget[Name] }

/** What one member of a group comes to: its targets in order, the first of which stands for it. */
export type Candidate = {
  readonly first: PlanDraft
  readonly targets: readonly PlanDraft[]
  readonly weight: number
  /** Why it stands where it does. */
  reason: string
}

/** The request as strategies see it. */
export type StrategyRequest = {
  readonly signals: RouteSignals
  /** What its input will about be. */
  estimatedTokens(): number
  readonly outputLimit: number | undefined
}

/** Where a request does not say how long its answer may be, prices are compared for one of this length. */
const USUAL_OUTPUT_TOKENS = 1_000

/** Puts candidates in order, in place, and gives each its reason. */
export function rank(
  strategy: OrderedGroup['strategy'],
  candidates: Candidate[],
  request: StrategyRequest
): void {
  switch (strategy) {
    case 'fallback':
      for (let at = 0; at < candidates.length; at++) give(candidates[at], PLACES[at] ?? '')
      return
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

/** A group has 64 members at most. */
const PLACES = ['1st in order', '2nd in order', '3rd in order'].concat(
  Array.from({ length: 61 }, (_, at) => `${at + 4}th in order`)
)

function give(candidate: Candidate | undefined, reason: string): void {
  if (candidate !== undefined) candidate.reason = reason
}

/** Draws without replacement: each draw takes one in proportion to its weight among those that are left. */
function rankByWeight(candidates: Candidate[], { random }: RouteSignals): void {
  let total = 0
  for (const { weight } of candidates) total += weight
  for (let place = 0; place < candidates.length; place++) {
    bring(candidates, draw(candidates, place, total * random()), place)
    const drawn = candidates[place]
    if (drawn === undefined) continue
    const verb = place === 0 ? 'drawn' : 'drawn next'
    drawn.reason = `${verb} by weight ${drawn.weight} of ${total}`
    total -= drawn.weight
  }
}

/** Those without a weight come behind all others, in the order in which they were written. */
function draw(candidates: readonly Candidate[], from: number, point: number): number {
  let passed = 0
  let last = from
  for (let at = from; at < candidates.length; at++) {
    const weight = candidates[at]?.weight ?? 0
    if (weight === 0) continue
    passed += weight
    last = at
    if (point < passed) break
  }
  return last
}

/** Moves what stands at `from` to `to`, which is before it; those between move on by one. */
function bring<Item>(items: Item[], from: number, to: number): void {
  const moved = items[from]
  if (moved === undefined) return
  items.copyWithin(to + 1, to, from)
  items[to] = moved
}

/**
 * The better of two that are drawn at random, then the others by what they promise: no target draws everyone at once.
 * A target promises its time to the first token as often as there are requests under way, and one more:
 * https://www.eecs.harvard.edu/~michaelm/postscripts/handbook2001.pdf,
 * https://twitter.github.io/finagle/guide/Clients.html#power-of-two-choices-p2c-least-loaded
 */
function rankByLatency(candidates: Candidate[], signals: RouteSignals): void {
  drawPair(candidates, signals.random)
  const loads = new Map<Candidate, Load>()
  for (const candidate of candidates) loads.set(candidate, measure(candidate, signals))
  const [one, other] = candidates
  if (one === undefined || other === undefined) return
  if (compareLoads(loads.get(one), loads.get(other)) > 0) bring(candidates, 1, 0)
  const [best] = candidates.splice(0, 1)
  candidates.sort((a, b) => compareLoads(loads.get(a), loads.get(b)))
  if (best === undefined) return
  best.reason = `better of two: ${best.reason}`
  candidates.unshift(best)
}

/** What a target promises: `cost` is milliseconds. One that was not measured promises nothing bad. */
type Load = { readonly cost: number; readonly inFlight: number }

function measure(candidate: Candidate, signals: RouteSignals): Load {
  const { target } = candidate.first
  const latencyMs = signals.latencyMs(target)
  const inFlight = signals.inFlight(target)
  candidate.reason =
    latencyMs === undefined
      ? 'not measured yet'
      : `${Math.round(latencyMs)} ms to the first token, ${inFlight} under way`
  return { cost: (latencyMs ?? 0) * (inFlight + 1), inFlight }
}

function compareLoads(a: Load = NO_LOAD, b: Load = NO_LOAD): number {
  return a.cost - b.cost || a.inFlight - b.inFlight
}

const NO_LOAD: Load = { cost: 0, inFlight: 0 }

/** Brings two different ones, drawn at random, to the front. */
function drawPair<Item>(items: Item[], random: () => number): void {
  for (let at = 0; at < Math.min(2, items.length - 1); at++)
    bring(items, at + Math.floor(random() * (items.length - at)), at)
}

/** Orders by a number for each, those of equal ones as they stand. */
function sortBy(candidates: Candidate[], valueOf: (candidate: Candidate) => number): void {
  const values = new Map<Candidate, number>()
  for (const candidate of candidates) values.set(candidate, valueOf(candidate))
  // Two that are infinite have no difference.
  candidates.sort((a, b) => (values.get(a) ?? 0) - (values.get(b) ?? 0) || 0)
}

function rankByCost(candidates: Candidate[], request: StrategyRequest): void {
  const outputTokens = request.outputLimit ?? USUAL_OUTPUT_TOKENS
  const inputTokens = request.estimatedTokens()
  sortBy(candidates, (candidate) => {
    const nanoUsd = estimateCost(candidate.first.target.card, inputTokens, outputTokens)
    candidate.reason = nanoUsd === undefined ? 'of unknown price' : `about ${nanoUsd / 1e9} USD`
    return nanoUsd ?? Infinity
  })
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
function rankByThroughput(candidates: Candidate[], signals: RouteSignals): void {
  drawPair(candidates, signals.random)
  sortBy(candidates, (candidate) => {
    const rate = signals.throughput(candidate.first.target)
    candidate.reason =
      rate === undefined ? 'not measured yet' : `${Math.round(rate)} tokens a second`
    return rate === undefined ? -Infinity : -rate
  })
}
