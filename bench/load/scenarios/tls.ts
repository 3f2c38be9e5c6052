import { directContender, gatewayContender } from '../contenders'
import { atLeast, atMost, report } from '../figures'
import { createSite } from '../gateway'
import { type ArrivalResult, constantArrival } from '../load'
import { readUpstreamCounts, reuseBetween, startUpstream } from '../nginx'
import { each, eachPair, inRounds } from '../rounds'
import type { Scenario } from '../scenario'

const RATE = 2_000

type Result = ArrivalResult & { reusedShare: number }

export const tls: Scenario = {
  name: 'tls',
  summary: '2,000 requests/s, 1,000 in flight, to an upstream by TLS and HTTP/2 (2 minutes)',
  async run(lab) {
    const { rounds = 5, seconds = 10, warmSeconds } = lab.options
    const upstream = await startUpstream(lab)
    const site = await createSite(lab, 'tls', { tls: true })
    // An upstream of 500 ms: by Little's law 1,000 clients wait at any time.
    const contenders = [directContender(lab, true), gatewayContender(lab, site)]
    const results = await inRounds<Result>(lab, rounds, contenders, {
      warm: ({ call }) => constantArrival(lab, call('slow500'), RATE, warmSeconds),
      async measure({ call }) {
        const before = await readUpstreamCounts(lab)
        const result = await constantArrival(lab, call('slow500'), RATE, seconds)
        const reusedShare = reuseBetween(before, await readUpstreamCounts(lab))
        return { ...result, reusedShare }
      },
      describe: ({ p50Ms, p99Ms, failed, reusedShare }) =>
        `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, ${failed} failed, ` +
        `${(reusedShare * 100).toFixed(2)} % reused`,
    })
    await lab.children.stop(upstream)
    const p99Ms = (result: Result) => result.p99Ms
    const reused = each(results, 'gateway', (r) => r.reusedShare * 100)
    return [
      ...['direct', 'gateway'].flatMap((name) => [
        report(
          `${name} p50`,
          'ms',
          each(results, name, (r) => r.p50Ms)
        ),
        report(`${name} p99`, 'ms', each(results, name, p99Ms)),
      ]),
      atMost(
        20,
        "gateway p99 over direct's",
        'ms',
        eachPair(results, ['gateway', 'direct'], p99Ms, (gateway, direct) => gateway - direct)
      ),
      atLeast(99, 'gateway requests on a reused connection', '%', reused),
      atMost(
        0,
        'gateway failed',
        'requests',
        Math.max(...each(results, 'gateway', (r) => r.failed))
      ),
    ]
  },
}
