import { gatewayCall } from '../call'
import { atMost, type Figure, report } from '../figures'
import { createSite, startAnswering, startSimulator } from '../gateway'
import type { Lab } from '../lab'
import { closedLoop } from '../load'
import { startUpstream } from '../nginx'
import { readMemory } from '../processes'
import { openExchange } from '../raw-client'

const STREAMS = 2_000
/** The first token at once, the second long after all is measured. */
const MODEL = 'sim/sim-1;tps=0.01;tokens=2'
const OPEN_LIMIT_MS = 30_000
const SETTLE_MS = 5_000
const AT_ONCE = 50

/** Memory of a stream that is open and silent: the gateway's with 2,000 of them, less before. */
export async function measureIdleStreams(lab: Lab): Promise<Figure[]> {
  const upstream = await startUpstream(lab)
  const simulator = await startSimulator(lab)
  const site = await createSite(lab, 'idle')
  const { child } = await startAnswering(lab, site, 'sim/sim-1')
  const fast = gatewayCall(lab, site.key, 'fast/gpt-4o-mini', false)
  await closedLoop(lab, fast, 32, lab.options.warmSeconds)
  await Bun.sleep(SETTLE_MS)
  const before = readMemory(child.pid).pssBytes

  const leave: (() => void)[] = []
  let begun = 0
  let ended = 0
  const call = gatewayCall(lab, site.key, MODEL, true)
  for (let opened = 0; opened < STREAMS; opened += AT_ONCE) {
    const streams = Array.from({ length: AT_ONCE }, async () => {
      let hasBegun = false
      const exchange = await openExchange(call, (text) => {
        if (hasBegun || !text.includes('"content":"')) return
        hasBegun = true
        begun++
      })
      void exchange.ended.then(() => ended++)
      leave.push(exchange.leave)
    })
    await Promise.all(streams)
  }
  const dueAtMs = performance.now() + OPEN_LIMIT_MS
  while (begun < STREAMS && performance.now() < dueAtMs) await Bun.sleep(50)
  await Bun.sleep(SETTLE_MS)
  const open = begun - ended
  const after = readMemory(child.pid).pssBytes
  for (const end of leave) end()
  await lab.children.stop(child)
  await lab.children.stop(simulator)
  await lab.children.stop(upstream)
  if (open < STREAMS) throw new Error(`only ${open} of ${STREAMS} streams stayed open`)
  return [
    report('gateway memory (PSS) before', 'MB', before / 1e6),
    report(`gateway memory (PSS), ${STREAMS} idle streams`, 'MB', after / 1e6),
    atMost(40, 'gateway memory of an idle stream', 'KB', (after - before) / 1e3 / STREAMS),
  ]
}
