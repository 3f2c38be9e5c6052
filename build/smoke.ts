// Tries the executable the way a stranger would, from a directory that has nothing in it:
// `bun build/smoke.ts [dist/tollgate]`. Prints a line for each check, and ends with 1 if one failed.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import packageJson from '../package.json'

const EXECUTABLE = resolve(process.argv[2] ?? join(import.meta.dir, '..', 'dist', 'tollgate'))
const STEP_TIMEOUT_MS = 30_000
const QUESTION = {
  model: 'sim/sim-1',
  messages: [{ role: 'user', content: 'What is a tollgate?' }],
}

const directory = mkdtempSync(join(tmpdir(), 'tollgate-smoke-'))
const empty = join(directory, 'empty')
const data = join(directory, 'data')
mkdirSync(empty)

const running = new Set<Bun.Subprocess>()
let passed = 0
let failed = 0

async function step(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await withDeadline(run())
    passed++
    console.log(`ok      ${name}`)
  } catch (error) {
    failed++
    console.log(`failed  ${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function withDeadline<T>(work: Promise<T>): Promise<T> {
  const deadline = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => deadline.reject(new Error(`not done after ${STEP_TIMEOUT_MS} ms`)),
    STEP_TIMEOUT_MS
  )
  return Promise.race([work, deadline.promise]).finally(() => clearTimeout(timer))
}

function start(args: string[], cwd = empty) {
  const child = Bun.spawn([EXECUTABLE, ...args], {
    cwd,
    // Nothing of this machine's own, and no variable that could configure a provider.
    env: { PATH: process.env['PATH'], HOME: directory },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  running.add(child)
  void child.exited.then(() => running.delete(child))
  return child
}

async function run(...args: string[]): Promise<{ exitCode: number; out: string; error: string }> {
  const child = start(args)
  const [out, error, exitCode] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ])
  return { exitCode, out, error }
}

/** Reads until what has come so far matches. The rest is left in the pipe. */
async function readUntil(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<string> {
  const reader = stream.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    while (!pattern.test(text)) {
      const { value, done } = await reader.read()
      if (done) throw new Error(`ended without ${pattern}: ${text}`)
      text += decoder.decode(value, { stream: true })
    }
    return text
  } finally {
    reader.releaseLock()
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition().catch(() => false))) await Bun.sleep(50)
}

function expect(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise)
}

function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/health/ready`).then(({ ok }) => ok)
}

async function stop(child: Bun.Subprocess): Promise<void> {
  child.kill('SIGTERM')
  const exitCode = await child.exited
  expect(exitCode === 0, `SIGTERM ended it with ${exitCode}`)
}

async function tryCommands(): Promise<void> {
  await step('version', async () => {
    const { out, exitCode } = await run('version')
    expect(exitCode === 0 && out.includes(` ${packageJson.version} `), out)
  })
  await step('a wrong command line ends with 2', async () => {
    const { exitCode, error } = await run('serv')
    expect(exitCode === 2 && error.includes('serve'), `${exitCode}: ${error}`)
  })
  await step('check', async () => {
    writeFileSync(join(directory, 'wrong.yaml'), 'serverr: {}\n')
    const wrong = await run('check', join(directory, 'wrong.yaml'))
    expect(wrong.exitCode === 3 && wrong.error.includes('server'), JSON.stringify(wrong))
    const schema = await run('check', '--schema')
    expect(schema.exitCode === 0 && 'properties' in JSON.parse(schema.out), schema.error)
  })
  await step('files of the working directory change nothing', async () => {
    const hostile = join(directory, 'hostile')
    mkdirSync(hostile)
    writeFileSync(join(hostile, '.env'), 'TOLLGATE_PORT=nonsense\n')
    writeFileSync(join(hostile, 'bunfig.toml'), 'preload = ["./preload.ts"]\n')
    writeFileSync(join(hostile, 'preload.ts'), 'process.exit(9)\n')
    // A port from .env would be refused as a wrong command line, before the file is.
    const child = start(['serve', '--config', join(directory, 'wrong.yaml')], hostile)
    expect((await child.exited) === 3, `ended with ${child.exitCode}`)
  })
}

async function tryDemo(): Promise<void> {
  const demo = start(['demo', '--port', '0'])
  await step('the curl of the demo streams an answer', async () => {
    const text = await readUntil(demo.stdout, /Ctrl-C/)
    const curl = text.match(/curl (?:.*\\\n)*.*/)?.[0]
    expect(curl !== undefined, `no curl command in: ${text}`)
    const answer = await Bun.$`sh -c ${curl}`.quiet().text()
    expect(answer.trimEnd().endsWith('data: [DONE]'), answer)
  })
  await step('the demo ends with 0', () => stop(demo))
}

const keySchema = z.looseObject({ id: z.string(), key: z.string() })
const rowSchema = z.looseObject({ status: z.number(), model: z.string() })

async function tryServe(): Promise<void> {
  let simulatorUrl = ''
  let url = ''
  let key = ''
  const simulate = start(['simulate', '--port', '0', '--json'])
  await step('simulate', async () => {
    const line = await readUntil(simulate.stdout, /\n/)
    simulatorUrl = z.looseObject({ url: z.string() }).parse(JSON.parse(line)).url
  })
  await step('keys create, before the first start', async () => {
    const { out, error } = await run('keys', 'create', '--name', 'app', '--data', data, '--json')
    expect(error === '', error)
    key = keySchema.parse(JSON.parse(out)).key
  })
  const configuration = {
    keys: { required: true },
    providers: { sim: { type: 'openai', base_url: `${simulatorUrl}/v1`, api_key: 'none' } },
  }
  const file = join(directory, 'tollgate.json')
  writeFileSync(file, JSON.stringify(configuration))
  const serve = start(['serve', '--config', file, '--data', data, '--port', '0'])
  await step('serve answers with the key, and only with it', async () => {
    const started = await readUntil(serve.stderr, /"url":"[^"]+"/)
    url = started.match(/"url":"([^"]+)"/)?.[1] ?? ''
    const post = (token: string) =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(QUESTION),
      })
    const [answered, refused] = [await post(key), await post(`${key}x`)]
    const text = await answered.text()
    expect(answered.status === 200 && text.includes('tollgate'), text)
    expect(refused.status === 401, `a wrong key got ${refused.status}`)
  })
  await step('logs tail shows the request', () =>
    until(async () => {
      const args = ['logs', 'tail', '--no-follow', '--limit', '5', '--json', '--data', data]
      const rows = (await run(...args)).out.trim().split('\n')
      return rows.some((row) => {
        const parsed = rowSchema.safeParse(JSON.parse(row))
        return parsed.success && parsed.data.status === 200 && parsed.data.model === QUESTION.model
      })
    })
  )
  await step('it becomes ready', () => until(() => isReady(url)))
  await step('serve ends with 0', () => stop(serve))
  await step('the simulator ends with 0', () => stop(simulate))
}

await tryCommands()
await tryDemo()
await tryServe()
for (const child of running) child.kill('SIGKILL')
rmSync(directory, { recursive: true, force: true })
console.log(`smoke: ${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
