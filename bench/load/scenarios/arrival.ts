import { directContender, gatewayContender, nginxContender, peerContenders } from '../contenders'
import { atMost, type Figure, report } from '../figures'
import { createSite } from '../gateway'
import { type ArrivalResult, constantArrival } from '../load'
import { startUpstream } from '../nginx'
import { withPeakPss } from '../processes'
import { each, eachPair, inRounds, type Rounds } from '../rounds'
import type { Scenario } from '../scenario'

type Result = { low: ArrivalResult; high: ArrivalResult; peakPssMb: number }

const LOW = { rate: 500, maxOverNginxMs: 3 }
const HIGH = { rate: 2_000, maxOverNginxMs: 8 }

export const arrival: Scenario = {
  name: 'arrival',
  summary: '500 and 2,000 requests/s before an upstream of 60 ms: added latency (6 minutes)',
  async run(lab) {
    const { rounds = 5, seconds = 10, warmSeconds } = lab.options
    const upstream = await startUpstream(lab)
    const site = await createSite(lab, 'arrival')
    const contenders = [
      ...[directContender(lab), nginxContender(lab), gatewayContender(lab, site)],
      ...peerContenders(lab),
    ]
    const results = await inRounds<Result>(lab, rounds, contenders, {
      warm: ({ call }) => constantArrival(lab, call('slow'), HIGH.rate, warmSeconds),
      async measure({ pid, call }) {
        const low = await constantArrival(lab, call('slow'), LOW.rate, seconds)
        const attack = () => constantArrival(lab, call('slow'), HIGH.rate, seconds)
        if (pid === undefined) return { low, high: await attack(), peakPssMb: 0 }
        const { result: high, peakPssBytes } = await withPeakPss(pid, attack)
        return { low, high, peakPssMb: peakPssBytes / 1e6 }
      },
      describe: ({ low, high }) => `500/s ${describe(low)}; 2,000/s ${describe(high)}`,
    })
    await lab.children.stop(upstream)
    const names = contenders.map(({ name }) => name)
    return [
      ...figuresAt(LOW, results, names, ({ low }) => low),
      ...figuresAt(HIGH, results, names, ({ high }) => high),
      ...names.slice(1).map((name) => {
        const memory = each(results, name, (result) => result.peakPssMb)
        const title = `${name} memory (PSS) at ${HIGH.rate}/s`
        return name === 'gateway' ? atMost(120, title, 'MB', memory) : report(title, 'MB', memory)
      }),
    ]
  },
}

function figuresAt(
  { rate, maxOverNginxMs }: typeof LOW,
  results: Rounds<Result>,
  names: string[],
  pick: (result: Result) => ArrivalResult
): Figure[] {
  const p99Ms = (result: Result) => pick(result).p99Ms
  const failed = each(results, 'gateway', (result) => pick(result).failed)
  return [
    ...names.flatMap((name) => [
      report(
        `${name} p50 at ${rate}/s`,
        'ms',
        each(results, name, (r) => pick(r).p50Ms)
      ),
      report(`${name} p99 at ${rate}/s`, 'ms', each(results, name, p99Ms)),
    ]),
    atMost(
      maxOverNginxMs,
      `gateway p99 over nginx's at ${rate}/s`,
      'ms',
      eachPair(results, ['gateway', 'nginx'], p99Ms, (gateway, nginx) => gateway - nginx)
    ),
    atMost(0, `gateway failed at ${rate}/s`, 'requests', Math.max(...failed)),
  ]
}

function describe({ p50Ms, p99Ms, failed }: ArrivalResult): string {
  return `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, ${failed} failed`
}
