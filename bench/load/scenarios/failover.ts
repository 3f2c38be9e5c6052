import { type Call, gatewayCall, send } from '../call'
import { sendSignal } from '../children'
import { atMost, quantile, report } from '../figures'
import { createSite, startAnswering, startSimulator } from '../gateway'
import { startOpenLoop } from '../load'
import { isAlive, processTree } from '../processes'
import type { Scenario } from '../scenario'

const RATE = 500
const BEFORE_MS = 15_000
const DOWN_MS = 20_000
const AFTER_MS = 25_000
const MODEL = 'sim-1;ttft=60;tokens=20'
const SLOW = 1.5

type Asked = { atMs: number; tookMs: number; ok: boolean; attempts: number; model: string }

export const failover: Scenario = {
  name: 'failover',
  summary: 'the first of two targets is killed under 500 requests/s, and comes back (a minute)',
  async run(lab) {
    const second = lab.ports.simulator + 1
    let primary = await startSimulator(lab)
    const spare = await startSimulator(lab, second)
    const site = await createSite(lab, 'failover', {
      more: `routes: { smart: { targets: ['sim/${MODEL}', 'spare/${MODEL}'] } }\n`,
      providers: { spare: second },
    })
    const { child } = await startAnswering(lab, site, 'smart')
    const asked: Asked[] = []
    const call = gatewayCall(lab, site.key, 'smart', false)
    const load = startOpenLoop(RATE, () => ask(call, asked))
    await Bun.sleep(BEFORE_MS)
    const killedAtMs = performance.now()
    const pids = processTree(primary.pid)
    for (const pid of pids) sendSignal(pid, 'SIGKILL')
    while (pids.some(isAlive)) await Bun.sleep(2)
    await Bun.sleep(DOWN_MS)
    primary = await startSimulator(lab)
    const backAtMs = performance.now()
    await Bun.sleep(AFTER_MS)
    await load.stop()
    for (const one of [child, primary, spare]) await lab.children.stop(one)
    // The first seconds are those of a gateway that is not warm yet.
    const before = asked.filter(({ atMs }) => atMs < killedAtMs - 100 && atMs > killedAtMs - 10_000)
    const down = asked.filter(({ atMs }) => atMs >= killedAtMs - 100 && atMs < backAtMs)
    const after = asked.filter(({ atMs }) => atMs >= backAtMs)
    const last = after.filter(({ atMs }) => atMs > backAtMs + AFTER_MS - 5_000)
    const normalMs = quantile(
      before.map(({ tookMs }) => tookMs),
      0.5
    )
    const slowShare = (some: readonly Asked[]) =>
      (100 * some.filter(({ tookMs }) => tookMs > SLOW * normalMs).length) / some.length
    return [
      report('requests', '', asked.length),
      atMost(0, 'failed', '', asked.filter(({ ok }) => !ok).length),
      report('normal time, p50', 'ms', normalMs),
      atMost(0.1, 'slower than 1.5 × that, of the whole minute', '%', slowShare(asked)),
      report('slower than 1.5 × that, before', '%', slowShare(before)),
      // Who was being answered at that moment has to ask again.
      report('slower than 1.5 × that, primary killed', '%', slowShare(down)),
      report('slower than 1.5 × that, primary back', '%', slowShare(after)),
      report(
        'asked the killed primary',
        'requests',
        down.filter(({ attempts }) => attempts > 1).length
      ),
      report(
        'served by the primary, last 5 s',
        '%',
        (100 * last.filter(({ model }) => model.startsWith('sim/')).length) / last.length
      ),
    ]
  },
}

async function ask(call: Call, asked: Asked[]): Promise<void> {
  const atMs = performance.now()
  const entry: Asked = { atMs, tookMs: 0, ok: false, attempts: 0, model: '' }
  try {
    const { ok, headers, text } = await read(call)
    entry.ok = ok && text.endsWith('}')
    entry.attempts = Number(headers.get('x-tg-attempts'))
    entry.model = headers.get('x-tg-model') ?? ''
  } catch {
    // It stays failed.
  }
  entry.tookMs = performance.now() - atMs
  asked.push(entry)
}

async function read(call: Call) {
  const response = await send(call)
  return { ok: response.ok, headers: response.headers, text: await response.text() }
}
