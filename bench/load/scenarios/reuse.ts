import { type Call, gatewayCall, send } from '../call'
import type { Contender, Running } from '../contenders'
import { atLeast, atMost, report } from '../figures'
import { createSite, type Site, startGateway } from '../gateway'
import type { Lab } from '../lab'
import { type ArrivalResult, constantArrival } from '../load'
import { readUpstreamCounts, reuseBetween, startUpstream } from '../nginx'
import { each, inRounds } from '../rounds'
import type { Scenario } from '../scenario'

/** The first that the gateway answers in time on its core is measured. */
const RATES = [5_000, 4_000, 3_000, 2_000, 1_000]
const IN_TIME_MS = 150
const BURST = 256
const BURST_EVERY_MS = 1_000
const SETTLE_MS = 1_000

type Result = ArrivalResult & { rate: number; burstsFailed: number; reusedShare: number }

export const reuse: Scenario = {
  name: 'reuse',
  summary:
    'up to 5,000 requests/s and bursts of 256 before a 60 ms upstream by TLS: connections (3 minutes)',
  async run(lab) {
    const { rounds = 3, seconds = 10 } = lab.options
    const upstream = await startUpstream(lab)
    const { upstreamTls, upstreamTls1 } = lab.ports
    const tlsProviders = {
      'http-2': `https://localhost:${upstreamTls}/slow`,
      'http-1': `https://localhost:${upstreamTls1}/slow`,
    }
    const site = await createSite(lab, 'reuse', { tlsProviders })
    const contenders = Object.keys(tlsProviders).map((name) => contender(lab, site, name))
    const rates = new Map<Running, number>()
    const results = await inRounds<Result>(lab, rounds, contenders, {
      async warm(running) {
        rates.set(running, await findRate(lab, running.call('slow')))
      },
      measure: (running) => measure(lab, running.call('slow'), rates.get(running) ?? 0, seconds),
      describe: ({ rate, p50Ms, p99Ms, failed, burstsFailed, reusedShare }) =>
        `${rate}/s: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, ${failed + burstsFailed} failed, ` +
        `${(reusedShare * 100).toFixed(3)} % reused`,
    })
    await lab.children.stop(upstream)
    return Object.keys(tlsProviders).flatMap((name) => {
      const of = (read: (result: Result) => number) => each(results, name, read)
      return [
        report(
          `${name} rate`,
          'requests/s',
          of(({ rate }) => rate)
        ),
        report(
          `${name} p99`,
          'ms',
          of(({ p99Ms }) => p99Ms)
        ),
        atLeast(
          99.9,
          `${name} requests on a reused connection`,
          '%',
          of((r) => r.reusedShare * 100)
        ),
        atMost(0, `${name} failed`, 'requests', Math.max(...of((r) => r.failed + r.burstsFailed))),
      ]
    })
  },
}

/** The gateway before one of the upstreams, whatever lane is asked for. */
function contender(lab: Lab, site: Site, name: string): Contender {
  return {
    name,
    async start() {
      const child = await startGateway(lab, site)
      const call = gatewayCall(lab, site.key, `${name}/gpt-4o-mini`, false)
      return { name, pid: child.pid, call: () => call, stop: () => lab.children.stop(child) }
    },
  }
}

/** Warms up, and gives the highest rate that is answered in time, or the lowest of all. */
async function findRate(lab: Lab, call: Call): Promise<number> {
  const lowest = RATES.at(-1) ?? 0
  await constantArrival(lab, call, lowest, lab.options.warmSeconds)
  await burst(call)
  for (const rate of RATES) {
    const { p50Ms, failed } = await constantArrival(lab, call, rate, lab.options.warmSeconds)
    // What piled up has to be gone.
    await Bun.sleep(SETTLE_MS)
    if (p50Ms <= IN_TIME_MS && failed === 0) return rate
  }
  return lowest
}

async function measure(lab: Lab, call: Call, rate: number, seconds: number): Promise<Result> {
  // The first one opens what bursts need; that is not what is asked here.
  await burst(call)
  await Bun.sleep(SETTLE_MS)
  const before = await readUpstreamCounts(lab)
  const bursts: Promise<number>[] = []
  const timer = setInterval(() => bursts.push(burst(call)), BURST_EVERY_MS)
  const result = await constantArrival(lab, call, rate, seconds)
  clearInterval(timer)
  const failed = await Promise.all(bursts)
  const reusedShare = reuseBetween(before, await readUpstreamCounts(lab))
  return { ...result, rate, burstsFailed: failed.reduce((sum, one) => sum + one, 0), reusedShare }
}

/** So many requests at once; gives how many did not end in a 200. */
async function burst(call: Call): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: BURST }, async () => {
      const response = await send(call).catch(() => undefined)
      await response?.arrayBuffer()
      return response?.status
    })
  )
  return answers.filter((status) => status !== 200).length
}
