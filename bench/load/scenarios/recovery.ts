import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { gatewayCall, send } from '../call'
import { sendSignal } from '../children'
import { atMost, report } from '../figures'
import { createSite, startAnswering, startSimulator } from '../gateway'
import { startOpenLoop } from '../load'
import { isAlive, processTree } from '../processes'
import type { Scenario } from '../scenario'

const ENTRIES = 1_000_000
const RATE = 500
/** Long enough for two checkpoints. */
const LOAD_MS = 25_000
const STARTS = 5
const MODEL = 'sim/sim-1;tokens=20'
const ENTRY_DAYS = 25

/** A million requests of a hundred users and ten models over the last days. */
const INSERT = `
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?)
INSERT INTO ledger_entries (request_id, kind, attempt, admitted_at_ms, organization, key_id, key_name,
  user_id, provider, model, cost_nano_usd, held_nano_usd, input_tokens, output_tokens, provenance)
SELECT printf('seed-%d', n), 'request', 1, ? + n * ?, 'default', printf('key-%d', n % 100),
  printf('key-%d', n % 100), printf('user-%d', n % 100), 'sim', printf('sim/sim-%d', n % 10), 1000 + n % 7,
  2000, 100, 20, 'computed' FROM numbers`

export const recovery: Scenario = {
  name: 'recovery',
  summary: 'starts behind a million entries under six budgets, after kill -9 (two minutes)',
  async run(lab) {
    const simulator = await startSimulator(lab)
    const site = await createSite(lab, 'recovery', { budgets: true })
    const empty = await startAnswering(lab, site, 'sim/sim-1')
    await lab.children.stop(empty.child)
    seed(join(site.dataDirectory, 'log.db'))
    const whole = await startAnswering(lab, site, 'sim/sim-1')
    const tookMs: number[] = []
    let { child } = whole
    for (let number = 0; number < (lab.options.rounds ?? STARTS); number++) {
      const call = gatewayCall(lab, site.key, MODEL, false)
      const load = startOpenLoop(RATE, async () => void (await (await send(call)).text()))
      await Bun.sleep(LOAD_MS)
      const pids = processTree(child.pid)
      await load.stop()
      for (const pid of pids) sendSignal(pid, 'SIGKILL')
      while (pids.some(isAlive)) await Bun.sleep(2)
      const started = await startAnswering(lab, site, 'sim/sim-1')
      tookMs.push(started.tookMs)
      lab.say(`  ${number + 1} ${started.tookMs.toFixed(0)} ms`)
      child = started.child
    }
    await lab.children.stop(child)
    await lab.children.stop(simulator)
    return [
      report('exec to first answer, empty ledger', 'ms', empty.tookMs),
      report('the same, a million entries and no checkpoint', 'ms', whole.tookMs),
      atMost(1_000, 'the same after kill -9, from the checkpoint', 'ms', tookMs),
    ]
  },
}

function seed(path: string): void {
  const database = new Database(path)
  const spanMs = ENTRY_DAYS * 86_400_000
  database.query(INSERT).run(ENTRIES, Date.now() - spanMs, Math.floor(spanMs / ENTRIES))
  database.run('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}
