import { atMost, report } from '../figures'
import { createSite, startAnswering } from '../gateway'
import { startUpstream } from '../nginx'
import { readMemory } from '../processes'
import type { Scenario } from '../scenario'

const STARTS = 11
const MODEL = 'fast/gpt-4o-mini'
const SETTLE_MS = 3_000

export const start: Scenario = {
  name: 'start',
  summary: '11 starts, from exec to the first answered request; idle memory (half a minute)',
  async run(lab) {
    const upstream = await startUpstream(lab)
    // The very first start makes the data directory, where no key can be yet.
    const empty = await createSite(lab, 'first-start', { keysRequired: false })
    const first = await startAnswering(lab, empty, MODEL)
    await lab.children.stop(first.child)
    const site = await createSite(lab, 'start')
    const tookMs: number[] = []
    const idlePssMb: number[] = []
    const starts = lab.options.rounds ?? STARTS
    for (let number = 1; number <= starts; number++) {
      const started = await startAnswering(lab, site, MODEL)
      tookMs.push(started.tookMs)
      lab.say(`  ${number}/${starts} ${started.tookMs.toFixed(0)} ms`)
      if (number === starts) {
        await Bun.sleep(SETTLE_MS)
        idlePssMb.push(readMemory(started.child.pid).pssBytes / 1e6)
      }
      await lab.children.stop(started.child)
    }
    await lab.children.stop(upstream)
    return [
      report('first start ever, data directory made', 'ms', first.tookMs),
      atMost(100, 'exec to first answered request', 'ms', tookMs),
      atMost(90, 'idle memory (PSS), all processes', 'MB', idlePssMb),
    ]
  },
}
