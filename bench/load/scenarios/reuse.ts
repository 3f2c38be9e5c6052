import { gatewayCall, send } from '../call'
import { atLeast, atMost, type Figure, report } from '../figures'
import { createSite, startGateway } from '../gateway'
import type { Lab } from '../lab'
import { LANES } from '../lanes'
import { type ArrivalResult, constantArrival } from '../load'
import { readUpstreamCounts, reuseBetween, startUpstream } from '../nginx'
import type { Scenario } from '../scenario'

const RATE = 5_000
const BURST = 256
const BURST_EVERY_MS = 500
const MODEL = 'gpt-4o-mini'

export const reuse: Scenario = {
  name: 'reuse',
  summary:
    '5,000 requests/s and bursts of 256, 60 ms upstream, TLS with HTTP/2 and without (a minute)',
  async run(lab) {
    const { ports } = lab
    const upstream = await startUpstream(lab)
    const figures: Figure[] = []
    for (const [name, port] of [
      ['HTTP/2', ports.upstreamTls],
      ['HTTP/1.1', ports.upstreamTls1],
    ] as const)
      figures.push(...(await measure(lab, name, `https://localhost:${port}${LANES.slow}`)))
    await lab.children.stop(upstream)
    return figures
  },
}

async function measure(lab: Lab, name: string, base: string): Promise<Figure[]> {
  const { seconds = 15, warmSeconds } = lab.options
  const site = await createSite(lab, `reuse-${name.replace('/', '-')}`, { secure: { far: base } })
  const gateway = await startGateway(lab, site)
  const call = gatewayCall(lab, site.key, `far/${MODEL}`, false)
  let failedInBursts = 0
  const asking = new Set<Promise<void>>()
  const one = async () => {
    try {
      const response = await send(call)
      if (!(await response.text()).endsWith('}')) failedInBursts++
    } catch {
      failedInBursts++
    }
  }
  const bursts = setInterval(() => {
    for (let number = 0; number < BURST; number++) {
      const request = one()
      asking.add(request)
      void request.finally(() => asking.delete(request))
    }
  }, BURST_EVERY_MS)
  let result: ArrivalResult
  let before
  try {
    await constantArrival(lab, call, RATE, warmSeconds)
    failedInBursts = 0
    before = await readUpstreamCounts(lab)
    result = await constantArrival(lab, call, RATE, seconds)
  } finally {
    clearInterval(bursts)
  }
  await Promise.all(asking)
  const after = await readUpstreamCounts(lab)
  await lab.children.stop(gateway)
  return [
    report(`${name}: requests a second`, '', (after.requests - before.requests) / seconds),
    report(`${name}: p99`, 'ms', result.p99Ms),
    atLeast(
      99.9,
      `${name}: requests on a reused connection`,
      '%',
      reuseBetween(before, after) * 100
    ),
    atMost(0, `${name}: failed`, 'requests', result.failed + failedInBursts),
  ]
}
