import { type Call, gatewayCall, isWholeStream, send } from '../call'
import { atMost, report } from '../figures'
import { createSite, readSimulatorStats, startAnswering, startSimulator } from '../gateway'
import { startOpenLoop } from '../load'
import { countConnections, readMemory } from '../processes'
import type { Scenario } from '../scenario'

const SECONDS = 600
const RATE = 500
const SAMPLE_MS = 5_000
const WHOLE_MODEL = 'sim/sim-1;tokens=60;ttft=20'
const STREAM_MODEL = 'sim/sim-1;tokens=50;tps=100'
/** Frames after which a client leaves that does. */
const LEAVES_AFTER_READS = 5
const END_LIMIT_MS = 10_000
/** Idle connections that are kept: about as many as are under way at once. */
const KEPT_CONNECTIONS = 64

type Sample = { atMinutes: number; anonMb: number }
type Counts = { whole: number; streamed: number; left: number; failed: number }

export const soak: Scenario = {
  name: 'soak',
  summary: '500 requests/s for 10 minutes, 5 % of clients leave mid-stream: leaks (10 minutes)',
  async run(lab) {
    const { seconds = SECONDS } = lab.options
    const simulator = await startSimulator(lab)
    const site = await createSite(lab, 'soak')
    const { child } = await startAnswering(lab, site, 'sim/sim-1')
    const whole = gatewayCall(lab, site.key, WHOLE_MODEL, false)
    const streamed = gatewayCall(lab, site.key, STREAM_MODEL, true)
    const counts: Counts = { whole: 0, streamed: 0, left: 0, failed: 0 }
    const load = startOpenLoop(RATE, async (number) => {
      try {
        // Of twenty, one leaves, two read their stream to its end, the others ask for whole answers.
        if (number % 20 === 0) await leaveStream(streamed, counts)
        else if (number % 10 === 5) await readWhole(streamed, counts, 'streamed')
        else await readWhole(whole, counts, 'whole')
      } catch {
        counts.failed++
      }
    })
    const samples: Sample[] = []
    const startedAtMs = performance.now()
    while (performance.now() - startedAtMs < seconds * 1_000) {
      await Bun.sleep(SAMPLE_MS)
      const atMinutes = (performance.now() - startedAtMs) / 60_000
      samples.push({ atMinutes, anonMb: readMemory(child.pid).anonBytes / 1e6 })
      if (samples.length % 12 === 0)
        lab.say(`  ${atMinutes.toFixed(0)} min: ${samples.at(-1)?.anonMb.toFixed(1)} MB anonymous`)
    }
    const sent = await load.stop()
    const dueAtMs = performance.now() + END_LIMIT_MS
    let stats = await readSimulatorStats(lab)
    while (stats.open > 0 && performance.now() < dueAtMs) {
      await Bun.sleep(100)
      stats = await readSimulatorStats(lab)
    }
    const connections = countConnections(lab.ports.simulator)
    await lab.children.stop(child)
    await lab.children.stop(simulator)
    const half = samples.slice(Math.floor(samples.length / 2))
    return [
      report('requests sent', '', sent),
      report('whole answers', '', counts.whole),
      report('streams read to the end', '', counts.streamed),
      report('streams left by their client', '', counts.left),
      report('cancelled upstream', '', stats.cancelled),
      atMost(0, 'failed', 'requests', counts.failed),
      report('anonymous memory at the end', 'MB', half.at(-1)?.anonMb ?? NaN),
      atMost(0.5, 'its slope over the second half', 'MB/min', slope(half)),
      atMost(0, 'requests left open upstream', '', stats.open),
      atMost(KEPT_CONNECTIONS, 'connections left upstream', '', connections),
    ]
  },
}

async function readWhole(call: Call, counts: Counts, kind: 'whole' | 'streamed') {
  const response = await send(call)
  const text = await response.text()
  const isWhole = kind === 'whole' || isWholeStream(text)
  if (response.ok && isWhole) counts[kind]++
  else counts.failed++
}

async function leaveStream(call: Call, counts: Counts): Promise<void> {
  const leaving = new AbortController()
  const response = await send(call, leaving.signal)
  const reader = response.body?.getReader()
  for (let reads = 0; reads < LEAVES_AFTER_READS; reads++) await reader?.read()
  leaving.abort()
  if (response.ok) counts.left++
  else counts.failed++
}

/** Megabytes a minute, by least squares. */
function slope(samples: readonly Sample[]): number {
  const count = samples.length
  const meanX = samples.reduce((sum, { atMinutes }) => sum + atMinutes, 0) / count
  const meanY = samples.reduce((sum, { anonMb }) => sum + anonMb, 0) / count
  let covariance = 0
  let variance = 0
  for (const { atMinutes, anonMb } of samples) {
    covariance += (atMinutes - meanX) * (anonMb - meanY)
    variance += (atMinutes - meanX) ** 2
  }
  return covariance / variance
}
