import { type Contender, gatewayContender, nginxContender, peerContenders } from '../contenders'
import { atMost, type Figure, report } from '../figures'
import { createSite } from '../gateway'
import type { Lab } from '../lab'
import { type ClosedLoopResult, closedLoop } from '../load'
import { startUpstream } from '../nginx'
import { cpuBetween, readCpu, withPeakPss } from '../processes'
import { each, eachPair, inRounds, type Rounds } from '../rounds'
import type { Scenario } from '../scenario'

const CONNECTIONS = 32
/** Below this a thread's share of a request's time says nothing. */
const LEAST_THREAD_MICROS = 0.5

export type SaturationResult = ClosedLoopResult & {
  cpuMicros: number
  cpuMicrosByThread: Map<string, number>
  peakPssMb: number
}

export const saturation: Scenario = {
  name: 'saturation',
  summary: '32 connections, 1 KB answers: requests/s and CPU a request beside nginx (2 minutes)',
  async run(lab) {
    const upstream = await startUpstream(lab)
    const site = await createSite(lab, 'saturation')
    const contenders = [nginxContender(lab), gatewayContender(lab, site), ...peerContenders(lab)]
    const rounds = await saturate(lab, contenders, CONNECTIONS)
    await lab.children.stop(upstream)
    return [
      ...contenders.flatMap(({ name }) => describeContender(rounds, name)),
      ...describeThreads(rounds, 'gateway'),
      atMost(
        2.8,
        'gateway CPU a request, by nginx',
        '×',
        eachPair(
          rounds,
          ['gateway', 'nginx'],
          ({ cpuMicros }) => cpuMicros,
          (a, b) => a / b
        )
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

/** Rounds of wrk before the upstream that answers at once, with the CPU and memory that they took. */
export function saturate(
  lab: Lab,
  contenders: Contender[],
  connections: number
): Promise<Rounds<SaturationResult>> {
  const { rounds = 5, seconds = 6, warmSeconds } = lab.options
  return inRounds(lab, rounds, contenders, {
    warm: (running) => closedLoop(lab, running.call('fast'), connections, warmSeconds),
    async measure({ pid, call }) {
      if (pid === undefined) throw new Error('there is no process to measure')
      const before = readCpu(pid)
      const { result, peakPssBytes } = await withPeakPss(pid, () =>
        closedLoop(lab, call('fast'), connections, seconds)
      )
      const cpu = cpuBetween(before, readCpu(pid))
      return {
        ...result,
        cpuMicros: cpu.totalMicros / result.requests,
        cpuMicrosByThread: new Map(
          [...cpu.microsByThread].map(([name, micros]) => [name, micros / result.requests])
        ),
        peakPssMb: peakPssBytes / 1e6,
      }
    },
    describe: ({ requestsPerSecond, cpuMicros, p99Ms, failed }) =>
      `${requestsPerSecond.toFixed(0)} requests/s, ${cpuMicros.toFixed(1)} µs CPU a request, ` +
      `p99 ${p99Ms.toFixed(1)} ms, ${failed} failed`,
  })
}

export function describeContender(rounds: Rounds<SaturationResult>, name: string): Figure[] {
  const read = (value: (result: SaturationResult) => number) => each(rounds, name, value)
  return [
    report(
      `${name} throughput`,
      'requests/s',
      read((r) => r.requestsPerSecond)
    ),
    report(
      `${name} p50`,
      'ms',
      read((r) => r.p50Ms)
    ),
    report(
      `${name} p99`,
      'ms',
      read((r) => r.p99Ms)
    ),
    report(
      `${name} CPU a request`,
      'µs',
      read((r) => r.cpuMicros)
    ),
    report(
      `${name} memory (PSS)`,
      'MB',
      read((r) => r.peakPssMb)
    ),
  ]
}

/** The same CPU by the threads that took it. */
export function describeThreads(rounds: Rounds<SaturationResult>, name: string): Figure[] {
  const results = rounds.get(name) ?? []
  const names = new Set(results.flatMap((r) => [...r.cpuMicrosByThread.keys()]))
  return [...names]
    .map((thread) =>
      report(
        `${name} CPU a request, thread ${thread}`,
        'µs',
        results.map((r) => r.cpuMicrosByThread.get(thread) ?? 0)
      )
    )
    .filter(({ values }) => Math.max(...values) >= LEAST_THREAD_MICROS)
}
