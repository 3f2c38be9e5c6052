import { type Call, chatBody, gatewayCall } from '../call'
import { atMost, type Figure, quantile, report } from '../figures'
import { createSite, startAnswering, startSimulator } from '../gateway'
import type { Lab } from '../lab'
import { openExchange } from '../raw-client'

const STREAMS = 300
const FRAMES = 100
const FRAME_MS = 20
const STREAM_LIMIT_MS = 20_000
const MODEL = `sim-1;tps=${1_000 / FRAME_MS};tokens=${FRAMES};stamp=1`
/** Spreads the starts of streams evenly over time, without any two in step. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2

/** How late frames come that the simulator stamped when they left, without and with the gateway. */
export async function measureFrameDelay(lab: Lab): Promise<Figure[]> {
  const { rounds = 5, seconds = 8, warmSeconds } = lab.options
  const simulator = await startSimulator(lab)
  const site = await createSite(lab, 'delay')
  const gateway = await startAnswering(lab, site, 'sim/sim-1')
  const direct: Call = {
    url: `http://127.0.0.1:${lab.ports.simulator}/v1/chat/completions`,
    key: 'none',
    body: chatBody(MODEL, true),
  }
  const through = gatewayCall(lab, site.key, `sim/${MODEL}`, true)
  const delays: Record<'direct' | 'gateway', number[][]> = { direct: [], gateway: [] }
  await collectDelays(through, warmSeconds)
  for (let round = 1; round <= rounds; round++) {
    delays.direct.push(await collectDelays(direct, seconds))
    delays.gateway.push(await collectDelays(through, seconds))
    const [without, within] = [delays.direct, delays.gateway].map((collected) =>
      quantile(collected.at(-1) ?? [], 0.99).toFixed(1)
    )
    lab.say(`  ${round}/${rounds} p99 delay of a frame: direct ${without} ms, gateway ${within} ms`)
  }
  await lab.children.stop(gateway.child)
  await lab.children.stop(simulator)
  const at = (share: number, name: 'direct' | 'gateway') =>
    delays[name].map((round) => quantile(round, share))
  return [
    report('direct delay of a frame, p50', 'ms', at(0.5, 'direct')),
    report('direct delay of a frame, p99', 'ms', at(0.99, 'direct')),
    report('gateway delay of a frame, p50', 'ms', at(0.5, 'gateway')),
    atMost(5, 'gateway delay of a frame, p99', 'ms', at(0.99, 'gateway')),
    report(
      'frames stamped, a round',
      '',
      delays.gateway.map((round) => round.length)
    ),
  ]
}

/** Keeps the streams open, each followed by another, and collects the delays of all but the first ones. */
async function collectDelays(call: Call, seconds: number): Promise<number[]> {
  const startedAtMs = performance.now()
  const streamMs = FRAMES * FRAME_MS
  const endsAtMs = startedAtMs + streamMs + seconds * 1_000
  const delays: number[] = []
  const note = (delayMs: number) => {
    // By then every stream has begun, and whatever had to be compiled is.
    if (performance.now() > startedAtMs + streamMs) delays.push(delayMs)
  }
  const clients = Array.from({ length: STREAMS }, async (_, index) => {
    await Bun.sleep(((index * GOLDEN_RATIO) % 1) * streamMs)
    while (performance.now() < endsAtMs) await readStamps(call, note)
  })
  await Promise.all(clients)
  return delays
}

async function readStamps(call: Call, note: (delayMs: number) => void): Promise<void> {
  let rest = ''
  const exchange = await openExchange(call, (text) => {
    const now = performance.timeOrigin + performance.now()
    rest += text
    let end = 0
    for (const match of rest.matchAll(/"sim_sent_at_ms":(\d+\.\d+),/g)) {
      note(now - Number(match[1]))
      end = match.index + match[0].length
    }
    // What may hold the beginning of a stamp; a frame without one is short.
    rest = rest.slice(Math.max(end, rest.length - 64))
  })
  const timer = setTimeout(() => exchange.leave(), STREAM_LIMIT_MS)
  await exchange.ended
  clearTimeout(timer)
}
