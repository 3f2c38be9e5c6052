import {
  gatewayContender,
  nginxContender,
  peerContenders,
  type Contender,
  type Running,
} from '../contenders'
import { atLeast, atMost, report } from '../figures'
import { createSite } from '../gateway'
import type { Lab } from '../lab'
import { readUpstreamCounts, reuseBetween, startUpstream } from '../nginx'
import { each, eachPair } from '../rounds'
import type { Scenario } from '../scenario'
import { describeContender, saturate } from './saturation'

const CONNECTIONS = 1_000

export const connections: Scenario = {
  name: 'connections',
  summary: '1,000 connections: throughput beside nginx, memory, reused connections (2 minutes)',
  async run(lab) {
    const upstream = await startUpstream(lab)
    const site = await createSite(lab, 'connections')
    const reused = new Map<string, number[]>()
    const contenders = [
      ...[nginxContender(lab), gatewayContender(lab, site)],
      ...peerContenders(lab),
    ].map((contender) => countingReuse(lab, contender, reused))
    const rounds = await saturate(lab, contenders, CONNECTIONS)
    await lab.children.stop(upstream)
    return [
      ...contenders.flatMap(({ name }) => describeContender(rounds, name)),
      ...contenders.map(({ name }) =>
        report(`${name} requests on a reused connection`, '%', reused.get(name) ?? [])
      ),
      atLeast(
        0.45,
        'gateway throughput, by nginx',
        '×',
        eachPair(
          rounds,
          ['gateway', 'nginx'],
          (r) => r.requestsPerSecond,
          (a, b) => a / b
        )
      ),
      atMost(
        150,
        'gateway memory (PSS)',
        'MB',
        each(rounds, 'gateway', (r) => r.peakPssMb)
      ),
      atMost(
        0,
        'gateway failed',
        'requests',
        Math.max(...each(rounds, 'gateway', (r) => r.failed))
      ),
    ]
  },
}

/** The contender, its whole life counted by the upstream. */
function countingReuse(lab: Lab, contender: Contender, reused: Map<string, number[]>): Contender {
  return {
    name: contender.name,
    async start(): Promise<Running> {
      const running = await contender.start()
      const before = await readUpstreamCounts(lab)
      return {
        ...running,
        async stop() {
          const share = reuseBetween(before, await readUpstreamCounts(lab))
          reused.set(contender.name, [...(reused.get(contender.name) ?? []), share * 100])
          await running.stop()
        },
      }
    },
  }
}
