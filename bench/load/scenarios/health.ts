import { gatewayCall, send } from '../call'
import { atLeast, atMost, type Figure, report } from '../figures'
import { createSite, startAnswering } from '../gateway'
import type { Lab } from '../lab'
import { startOpenLoop } from '../load'
import { type MoodyUpstream, startMoodyUpstream } from '../moody-upstream'
import type { Scenario } from '../scenario'

const MODEL = 'gpt-4o-mini'
const WARM_MS = 8_000
const DEADLINE_MS = 1_000
/** A target that is tried now and then is not asked. */
const PROBES_PER_SECOND = 10

export const health: Scenario = {
  name: 'health',
  summary: 'one of two targets falls silent, turns 10 × slower, throttles (a minute and a half)',
  async run(lab) {
    return [...(await fallSilent(lab)), ...(await turnSlow(lab)), ...(await throttle(lab))]
  },
}

/** Packets swallowed: the connection stands and nothing comes. */
async function fallSilent(lab: Lab): Promise<Figure[]> {
  return withPair(lab, 'fallback', 500, async ({ first, failed }) => {
    await Bun.sleep(WARM_MS)
    const silentAtMs = performance.now()
    first.become({ kind: 'silent' })
    await Bun.sleep(10_000)
    const deadlineAtMs = silentAtMs + DEADLINE_MS
    const lastBusyMs = lastBusySecond(first.askedAtMs, silentAtMs)
    return [
      atMost(
        2_000,
        'silent: breaker opens after the first deadline',
        'ms',
        lastBusyMs - deadlineAtMs
      ),
      atMost(0, 'silent: failed', 'requests', failed()),
    ]
  })
}

/** The end of the last stretch of 100 ms with more than probes. */
function lastBusySecond(askedAtMs: readonly number[], fromMs: number): number {
  let lastMs = fromMs
  const perStretch = new Map<number, number>()
  for (const atMs of askedAtMs) {
    if (atMs < fromMs) continue
    const stretch = Math.floor((atMs - fromMs) / 100)
    perStretch.set(stretch, (perStretch.get(stretch) ?? 0) + 1)
  }
  for (const [stretch, count] of perStretch)
    if (count > PROBES_PER_SECOND / 10) lastMs = Math.max(lastMs, fromMs + (stretch + 1) * 100)
  return lastMs
}

async function turnSlow(lab: Lab): Promise<Figure[]> {
  return withPair(lab, 'least_latency', 200, async ({ first, second, failed }) => {
    await Bun.sleep(WARM_MS)
    const share = (fromMs: number, toMs: number) => {
      const one = countBetween(first.askedAtMs, fromMs, toMs)
      return (100 * one) / (one + countBetween(second.askedAtMs, fromMs, toMs))
    }
    const slowAtMs = performance.now()
    first.become({ kind: 'answers', afterMs: 600 })
    await Bun.sleep(15_000)
    return [
      report('10 × slower: its share before', '%', share(slowAtMs - 4_000, slowAtMs)),
      atLeast(
        95,
        '10 × slower: load that went elsewhere after 5 s',
        '%',
        100 - share(slowAtMs + 5_000, slowAtMs + 15_000)
      ),
      atMost(0, '10 × slower: failed', 'requests', failed()),
    ]
  })
}

async function throttle(lab: Lab): Promise<Figure[]> {
  return withPair(lab, 'fallback', 500, async ({ first, failed }) => {
    await Bun.sleep(WARM_MS)
    const throttlesAtMs = performance.now()
    first.become({ kind: 'throttles', perSecond: 100, afterMs: 60 })
    await Bun.sleep(20_000)
    const offered = countBetween(first.askedAtMs, throttlesAtMs + 10_000, throttlesAtMs + 20_000)
    return [
      atMost(110, 'takes 100/s: offered, seconds 10 to 20', '/s', offered / 10),
      atMost(0, 'takes 100/s: failed', 'requests', failed()),
    ]
  })
}

type Pair = { first: MoodyUpstream; second: MoodyUpstream; failed(): number }

/** A gateway before two providers, under so many requests a second. */
async function withPair(
  lab: Lab,
  strategy: string,
  rate: number,
  measure: (pair: Pair) => Promise<Figure[]>
): Promise<Figure[]> {
  const [first, second] = [startMoodyUpstream(), startMoodyUpstream()]
  const deadlines = `deadlines: { first_byte: ${DEADLINE_MS}ms }`
  const site = await createSite(lab, `health-${strategy}-${rate}-${first.port}`, {
    providers: { one: first.port, two: second.port },
    providerSettings: deadlines,
    more: `routes: { pair: { strategy: ${strategy}, targets: ['one/${MODEL}', 'two/${MODEL}'] } }\n`,
  })
  const { child } = await startAnswering(lab, site, 'pair')
  let failures = 0
  const call = gatewayCall(lab, site.key, 'pair', false)
  const load = startOpenLoop(rate, async () => {
    try {
      const response = await send(call)
      const text = await response.text()
      if (!response.ok || !text.endsWith('}')) failures++
    } catch {
      failures++
    }
  })
  try {
    const figures = await measure({ first, second, failed: () => failures })
    await load.stop()
    return figures
  } finally {
    await lab.children.stop(child)
    await Promise.all([first.stop(), second.stop()])
  }
}

function countBetween(atMs: readonly number[], fromMs: number, toMs: number): number {
  return atMs.filter((one) => one >= fromMs && one < toMs).length
}
