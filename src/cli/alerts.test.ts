import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { EXIT } from './command-line'
import { runCommandLine } from './program'

const SECRET = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`
const directory = mkdtempSync(join(tmpdir(), 'tollgate-alerts-command-'))
writeFileSync(join(directory, 'secret'), `${SECRET}\n`)

const received: unknown[] = []
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  development: false,
  async fetch(request) {
    if (new URL(request.url).pathname !== '/taking')
      return new Response('no such\u001b[31m hook', { status: 404 })
    const headers = Object.fromEntries(request.headers)
    received.push(new Webhook(SECRET).verify(await request.text(), headers))
    return new Response()
  },
})
afterAll(async () => {
  await server.stop(true)
  rmSync(directory, { recursive: true })
})

const hook = (path: string) => ({
  url: new URL(path, server.url).href,
  secret: '${file:secret}',
  events: ['budget_exceeded'],
})

async function run(webhooks: object, ...args: string[]) {
  const file = join(directory, `${Bun.randomUUIDv7()}.json`)
  const local = { type: 'openai', base_url: 'http://127.0.0.1:9/v1', api_key: 'none' }
  writeFileSync(file, JSON.stringify({ providers: { local }, alerts: { webhooks } }))
  const out: string[] = []
  const error: string[] = []
  const exitCode = await runCommandLine(['alerts', 'test', '--config', file, ...args], {
    out: (line) => out.push(line),
    error: (line) => error.push(line),
  })
  return { exitCode, out: out.join('\n'), error: error.join('\n') }
}

describe('alerts test', () => {
  test('sends a signed sample of what the webhook is told of', async () => {
    const { exitCode, out } = await run({ ops: hook('/taking') })
    expect(exitCode).toBe(EXIT.ok)
    expect(out).toBe('ops: taken, answered with 200')
    expect(received).toMatchObject([
      { type: 'budget_exceeded', test: true, limit: { usd: '10', nano_usd: 10_000_000_000 } },
    ])
  })

  test('says what came back from one that does not take it', async () => {
    const webhooks = { ops: hook('/taking'), lost: hook('/lost') }
    const all = await run(webhooks, '--json')
    expect(all.exitCode).toBe(EXIT.failed)
    expect(JSON.parse(all.out)).toMatchObject([
      { webhook: 'ops', taken: true, status: 200 },
      { webhook: 'lost', taken: false, status: 404, answer: 'no such [31m hook' },
    ])
    const one = await run(webhooks, '--webhook', 'ops')
    expect(one.exitCode).toBe(EXIT.ok)
  })

  test('has nothing to do where there is none', async () => {
    const { exitCode, error } = await run({})
    expect(exitCode).toBe(EXIT.notFound)
    expect(error).toContain('no webhooks under alerts.webhooks')
    expect((await run({ ops: hook('/taking') }, '--webhook', 'op')).exitCode).toBe(EXIT.notFound)
  })

  test('refuses a configuration that serve would refuse', async () => {
    const { exitCode, error } = await run({ ops: { ...hook('/taking'), secret: SECRET } })
    expect(exitCode).toBe(EXIT.configuration)
    expect(error).not.toContain(SECRET)
  })
})
