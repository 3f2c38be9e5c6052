import { z } from 'zod'
import { type Call, gatewayCall, isWholeStream, send } from '../call'
import type { Child } from '../children'
import { sendSignal } from '../children'
import { atMost, report } from '../figures'
import { createSite, type Site, startAnswering, startSimulator } from '../gateway'
import type { Lab } from '../lab'
import { startOpenLoop } from '../load'
import { isAlive, processTree } from '../processes'
import { untilAnswered } from '../raw-client'
import type { Scenario } from '../scenario'

const KILLS = 20
const RATE = 500
const BETWEEN_KILLS_MS = 1_500
const ANSWER_LIMIT_MS = 20_000
const ORPHAN_LIMIT_MS = 5_000
const LOG_LIMIT_MS = 30_000
const MODEL = 'sim/sim-1;tokens=20'
const VICTIMS = ['child', 'parent', 'both'] as const

type Victim = (typeof VICTIMS)[number]

export const kill: Scenario = {
  name: 'kill',
  summary:
    '20 × kill -9 of child, parent, both under 500 requests/s: lost log rows and entries (1 minute)',
  async run(lab) {
    const kills = lab.options.rounds ?? KILLS
    const simulator = await startSimulator(lab)
    const site = await createSite(lab, 'kill', { budgets: true })
    let { child } = await startAnswering(lab, site, 'sim/sim-1')
    // Ids of requests whose whole answer reached its client.
    const answered = new Set<string>()
    const whole = gatewayCall(lab, site.key, MODEL, false)
    const streamed = gatewayCall(lab, site.key, MODEL, true)
    const load = startOpenLoop(RATE, (number) =>
      ask(number % 5 === 0 ? streamed : whole, number % 5 === 0, answered)
    )
    const backMs: number[] = []
    for (let number = 0; number < kills; number++) {
      await Bun.sleep(BETWEEN_KILLS_MS)
      const victim = VICTIMS[number % VICTIMS.length] ?? 'both'
      const before = answered.size
      const startedAtMs = performance.now()
      child = await killAndRestart(lab, site, child, victim, whole)
      backMs.push(performance.now() - startedAtMs)
      lab.say(
        `  ${number + 1}/${kills} ${victim}: answers again after ${backMs.at(-1)?.toFixed(0)} ms, ` +
          `${before} answers so far`
      )
    }
    await Bun.sleep(BETWEEN_KILLS_MS)
    const sent = await load.stop()
    const logged = await readLog(lab, site, answered)
    const reserved = await readReserved(lab, site)
    await lab.children.stop(child)
    const books = await verifyLedger(lab, site)
    await lab.children.stop(simulator)
    const missing = [...answered].filter((id) => !logged.has(id))
    const wrong = [...answered].filter((id) => logged.has(id) && logged.get(id) !== 'ok')
    return [
      report('requests sent', '', sent),
      report('without their whole answer', '', sent - answered.size),
      report('whole answers', '', answered.size),
      report('rows in the log', '', logged.size),
      atMost(0, 'answers missing from the log', '', missing.length),
      atMost(0, 'answers logged as something else', '', wrong.length),
      report('kill to next answer', 'ms', backMs),
      report('entries in the ledger', '', books.entries),
      report('requests whose process died, at their worst case', '', books.unresolved),
      atMost(0, 'entries that differ from the log', '', books.differences.length),
      report('counters in the checkpoint', '', books.counters),
      atMost(0, 'counters that differ from the entries', '', books.counter_differences.length),
      atMost(0, 'nano-USD still reserved', '', reserved),
    ]
  },
}

async function ask(call: Call, isStream: boolean, answered: Set<string>): Promise<void> {
  try {
    const response = await send(call)
    const id = response.headers.get('x-request-id')
    const text = await response.text()
    const isWhole = isStream ? isWholeStream(text) : text.endsWith('}')
    if (response.ok && isWhole && id !== null) answered.add(id)
  } catch {
    // Cut by the kill, or refused before the restart: this client has no answer to miss in the log.
  }
}

/** Gives the process that is the gateway's parent from now on. Throws when the restart fails. */
async function killAndRestart(
  lab: Lab,
  site: Site,
  child: Child,
  victim: Victim,
  call: Call
): Promise<Child> {
  const [parent = child.pid, ...serving] = processTree(child.pid)
  if (serving.length === 0) throw new Error('the gateway has no process of its own for serving')
  if (victim !== 'child') sendSignal(parent, 'SIGKILL')
  if (victim !== 'parent') for (const pid of serving) sendSignal(pid, 'SIGKILL')
  if (victim === 'child') {
    await untilGone(serving)
    await untilAnswered(call, child, ANSWER_LIMIT_MS)
    return child
  }
  await untilGone([parent, ...serving])
  const started = await startAnswering(lab, site, 'sim/sim-1')
  return started.child
}

/** Nothing may stay behind a parent that was killed: it would hold the port and the directory. */
async function untilGone(pids: number[]): Promise<void> {
  const dueAtMs = performance.now() + ORPHAN_LIMIT_MS
  while (pids.some(isAlive)) {
    if (performance.now() > dueAtMs) throw new Error(`still alive: ${pids.filter(isAlive)}`)
    await Bun.sleep(2)
  }
}

const standings = z.object({ limits: z.array(z.object({ reserved: z.number() })) })

/** What is held for requests, when none is under way any more. */
async function readReserved(lab: Lab, { key }: Site): Promise<number> {
  const headers = { authorization: `Bearer ${key}` }
  const url = `http://127.0.0.1:${lab.ports.gateway}/v1/usage/self`
  const { limits } = standings.parse(await (await fetch(url, { headers })).json())
  return Math.max(...limits.map(({ reserved }) => reserved))
}

const verified = z.object({
  entries: z.number(),
  unresolved: z.number(),
  differences: z.array(z.unknown()),
  counters: z.number(),
  counter_differences: z.array(z.unknown()),
})

async function verifyLedger(lab: Lab, { dataDirectory }: Site) {
  const command = [...lab.options.gateway, 'ledger', 'verify', '--json', '--data', dataDirectory]
  return verified.parse(JSON.parse(await lab.children.run(command, { limitMs: LOG_LIMIT_MS })))
}

const logRow = z.object({ id: z.string(), outcome: z.string() })

/** The log's rows by id, read again until all of `ids` are there or the time is up. */
async function readLog(
  lab: Lab,
  site: Site,
  ids: ReadonlySet<string>
): Promise<Map<string, string>> {
  const command = [
    ...lab.options.gateway,
    ...['logs', 'tail', '--no-follow', '--limit', '999999', '--json', '--data', site.dataDirectory],
  ]
  const dueAtMs = performance.now() + LOG_LIMIT_MS
  for (;;) {
    const out = await lab.children.run(command, { limitMs: LOG_LIMIT_MS })
    const rows = new Map<string, string>()
    for (const line of out.split('\n')) {
      if (line === '') continue
      const { id, outcome } = logRow.parse(JSON.parse(line))
      rows.set(id, outcome)
    }
    if ([...ids].every((id) => rows.has(id)) || performance.now() > dueAtMs) return rows
    await Bun.sleep(500)
  }
}
