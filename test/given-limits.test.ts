import { afterEach, expect, test } from 'bun:test'
import { runCommandLine } from '../src/cli/program'
import { isRecord, stringOf } from '../src/std/record'
import { type Harness, startHarness, until } from './harness'

let harness: Harness | undefined
afterEach(async () => {
  await harness?.stop()
  harness = undefined
})

async function keys({ directory }: Harness, ...args: string[]): Promise<unknown> {
  const lines: string[] = []
  const output = { out: (line: string) => void lines.push(line), error: () => {} }
  const code = await runCommandLine(['keys', ...args, '--json', '--data', directory.path], output)
  expect(code).toBe(0)
  return JSON.parse(lines.join('\n'))
}

test('a budget and limits that a key is given count what it has spent before, and it alone', async () => {
  // Twenty tokens at 50 USD a million: a thousandth of a dollar a request.
  const running = (harness = await startHarness({
    keys: { required: true },
    models: { 'sim/*': { price: { input: 0, output: 50 } } },
  }))
  const callers = []
  for (const name of ['app', 'other']) {
    const made = await keys(running, 'create', '--name', name)
    callers.push({ authorization: `Bearer ${stringOf(made, 'key')}` })
  }
  const [app = {}, other = {}] = callers
  const ask = async (headers: Record<string, string>) => {
    const answer = await running.chat({ model: 'sim/sim-1;tokens=20', max_tokens: 20 }, { headers })
    await answer.text()
    return answer.status
  }
  await until(async () => (await ask(other)) === 200)
  await until(async () => (await ask(app)) === 200)
  expect([await ask(app), await ask(other), await ask(app)]).toEqual([200, 200, 200])
  const used = async (headers: Record<string, string>) => {
    const answer = await fetch(`${running.gateway.url}/v1/usage/self`, { headers })
    const usage: unknown = await answer.json()
    const limits: unknown[] = isRecord(usage) && Array.isArray(usage.limits) ? usage.limits : []
    return limits.map((limit) => isRecord(limit) && `${stringOf(limit, 'unit')} ${limit.used}`)
  }
  await keys(running, 'update', 'app', '--budget', '0.0045/30d', '--limit', '100/1h')
  await until(async () => (await used(app)).includes('usd 3000000'))
  expect((await used(app)).toSorted()).toEqual(['requests 3', 'usd 3000000'])
  expect([await ask(app), await ask(app)]).toEqual([200, 429])
  await keys(running, 'update', 'other', '--budget', '1/30d')
  await until(async () => (await used(other)).includes('usd 2000000'))
  // Another amount is the same budget: nothing is counted twice.
  await keys(running, 'update', 'app', '--budget', '0.1/30d')
  await until(async () => (await ask(app)) === 200)
  expect(await used(app)).toContain('usd 5000000')
})
