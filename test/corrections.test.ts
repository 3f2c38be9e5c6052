import { afterEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import { openGateway } from '../src/cli/open-gateway'
import { runCommandLine } from '../src/cli/program'
import { createProgramLog } from '../src/telemetry/program-log'
import { countOf, isRecord } from '../src/std/record'
import { type Harness, type HarnessOptions, startHarness, until } from './harness'

/** Twenty tokens at 50 USD a million: a thousandth of a dollar a request. */
const OPTIONS: HarnessOptions = {
  models: { 'sim/*': { price: { input: 0, output: 50 } } },
  sim: { model_list: false },
  budgets: [{ subject: 'organization', limit_usd: 0.003 }],
}
const ASK = { model: 'sim/sim-1;tokens=20', max_tokens: 20 }

let harness: Harness | undefined
afterEach(async () => {
  await harness?.stop()
  harness = undefined
})

async function ledger({ directory }: Harness, ...args: string[]) {
  const lines: string[] = []
  const output = { out: (line: string) => void lines.push(line), error: () => {} }
  const code = await runCommandLine(['ledger', ...args, '--data', directory.path], output)
  return { code, text: lines.join('\n') }
}

/** How many of five questions the next process on the same directory answers. */
async function servedByNext(running: Harness): Promise<number> {
  await running.drain()
  const next = openGateway({
    configuration: await running.configure(OPTIONS),
    directory: running.directory,
    secret: new Uint8Array(32),
    programLog: createProgramLog({ level: 'error', format: 'json', write() {} }),
  })
  try {
    let served = 0
    for (let at = 0; at < 5; at++) {
      const answer = await fetch(`${next.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ ...ASK, messages: [{ role: 'user', content: 'Hi' }] }),
      })
      if (answer.ok) served++
      await answer.text()
    }
    return served
  } finally {
    await next.drain(1_000)
  }
}

test('what a provider billed otherwise is corrected beside a running gateway, which counts it, and the next one too', async () => {
  const running = (harness = await startHarness(OPTIONS))
  const rows = []
  for (let at = 0; at < 2; at++) rows.push(await running.rowOf(await running.chat(ASK)))
  const [first, second] = rows
  const upstreamId = first?.attempts?.[0]?.upstreamRequestId
  expect(upstreamId).toBeString()
  const path = join(running.directory.path, 'bill.csv')
  const day = new Date(first?.startedAtMs ?? 0).toISOString().slice(0, 10)
  await Bun.write(path, `id,day,model,usd\n${upstreamId},${day},sim-1;tokens=20,0.002\n`)
  const columns = ['--columns', 'request=id,date=day,model=model,cost=usd']
  const reconciled = await ledger(
    running,
    ...['reconcile', path, '--provider', 'sim', ...columns, '--correct']
  )
  expect(reconciled.text).toContain('1 requests were corrected.')
  expect(reconciled.text).toContain('within seconds')
  // The other request is not in the file.
  expect(reconciled.code).toBe(1)
  const corrected = ['correct', second?.id ?? '', '--cost', '0', '--reason', 'refunded']
  expect((await ledger(running, ...corrected)).code).toBe(0)
  expect((await ledger(running, 'report', '--by', 'provider', '--csv')).text).toContain('sim,2,')
  expect((await ledger(running, 'verify')).code).toBe(0)
  const usedNanoUsd = async () => {
    const answer = await fetch(`${running.gateway.url}/v1/usage/self`)
    const usage: unknown = await answer.json()
    const [limit] = isRecord(usage) && Array.isArray(usage.limits) ? usage.limits : []
    return countOf(limit, 'used')
  }
  await until(async () => (await usedNanoUsd()) === 2_000_000)
  // 0.002 of 0.003 USD are spent, so that there is room for one.
  expect(await servedByNext(running)).toBe(1)
})
