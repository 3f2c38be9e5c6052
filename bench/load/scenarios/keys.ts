import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { gatewayCall, send } from '../call'
import { atMost, report } from '../figures'
import { createSite, type Site, startAnswering } from '../gateway'
import type { Lab } from '../lab'
import { startUpstream } from '../nginx'
import { readMemory } from '../processes'
import type { Scenario } from '../scenario'

const KEYS = 1_000_000
const MODEL = 'fast/gpt-4o-mini'
const SETTLE_MS = 3_000
const SEEN_LIMIT_MS = 10_000
const LIMITS = [
  { unit: 'requests', amount: 600, window: '1m' },
  { unit: 'usd', amount: 10_000_000_000, window: '30d' },
]

export const keys: Scenario = {
  name: 'keys',
  summary: 'a million keys with two limits each: start, memory, a change seen (a minute)',
  async run(lab) {
    const upstream = await startUpstream(lab)
    const few = await createSite(lab, 'few-keys', { prices: true })
    const many = await createSite(lab, 'many-keys', { prices: true })
    seed(join(many.dataDirectory, 'tollgate.db'))
    const one = await startAnswering(lab, few, MODEL)
    await Bun.sleep(SETTLE_MS)
    const fewBytes = readMemory(one.child.pid).pssBytes
    await lab.children.stop(one.child)
    const tookMs: number[] = []
    const bytesEach: number[] = []
    const seenMs: number[] = []
    for (let round = 0; round < (lab.options.rounds ?? 3); round++) {
      const started = await startAnswering(lab, many, MODEL)
      tookMs.push(started.tookMs)
      await Bun.sleep(SETTLE_MS)
      bytesEach.push((readMemory(started.child.pid).pssBytes - fewBytes) / KEYS)
      seenMs.push(await changeSeen(lab, many))
      await lab.children.stop(started.child)
    }
    await lab.children.stop(upstream)
    return [
      report('exec to first answer, one key', 'ms', one.tookMs),
      atMost(4_000, 'exec to first answer, a million keys', 'ms', tookMs),
      atMost(800, 'memory a key', 'bytes', bytesEach),
      atMost(1_000, 'a disabled key refused, after its command', 'ms', seenMs),
    ]
  },
}

/** Disables the site's key, and gives how long it is still served; then enables it again. */
async function changeSeen(lab: Lab, site: Site): Promise<number> {
  const set = (word: string) =>
    lab.children.run(
      [...lab.options.gateway, 'keys', word, 'bench', '--data', site.dataDirectory],
      { limitMs: SEEN_LIMIT_MS }
    )
  await set('disable')
  const changedAtMs = performance.now()
  const call = gatewayCall(lab, site.key, MODEL, false)
  for (;;) {
    const response = await send(call)
    await response.text()
    if (response.status === 401) break
    if (performance.now() - changedAtMs > SEEN_LIMIT_MS) throw new Error('it is never refused')
    await Bun.sleep(2)
  }
  const seenMs = performance.now() - changedAtMs
  await set('enable')
  await Bun.sleep(SETTLE_MS)
  return seenMs
}

function seed(path: string): void {
  const database = new Database(path)
  const insert = database.prepare(
    `INSERT INTO virtual_keys (id, name, token_hash, token_hint, enabled, created_at_ms, limits)
     VALUES (?, ?, ?, 'seed', 1, ?, ?)`
  )
  const limits = JSON.stringify(LIMITS)
  const hash = new Uint8Array(32)
  database.transaction(() => {
    for (let number = 0; number < KEYS; number++) {
      crypto.getRandomValues(hash)
      const id = Bun.randomUUIDv7()
      insert.run(id, `seed-${number}`, Buffer.from(hash).toString('base64'), Date.now(), limits)
    }
  })()
  database.run('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}
