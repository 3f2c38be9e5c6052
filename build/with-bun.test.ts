import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// The clone pins a Bun that nobody has, and both it and npm are shell scripts that write down how
// they were called: so all of set-up runs, by a real Node where there is one, and without a network.
const PINNED = '99.1.0'

const FAKE_BUN = `#!/bin/sh
[ "$1" = --version ] && { echo ${PINNED}; exit; }
echo "bun $*" >> "$CALLS"
case "$*" in
  *exit-7*) exit 7 ;;
  *wait*) trap 'echo stopped; exit 3' TERM; echo waiting; while :; do sleep 0.02; done ;;
esac`

const FAKE_NPM = `#!/bin/sh
echo "npm $*" >> "$CALLS"
[ -n "$NPM_FAILS" ] && exit 1
mkdir -p node_modules/@oven/bun-fake/bin && cp "$FAKE_BUN" node_modules/@oven/bun-fake/bin/bun`

const NPM_CALL = `npm install --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error bun@${PINNED}`
const INSTALL_CALL = 'bun install --frozen-lockfile --ignore-scripts'

let clone: string

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'tollgate-clone-'))
  mkdirSync(join(clone, 'build'))
  mkdirSync(join(clone, 'bin'))
  copyFileSync(join(import.meta.dir, 'with-bun.mjs'), join(clone, 'build', 'with-bun.mjs'))
  writeFileSync(join(clone, 'package.json'), JSON.stringify({ devDependencies: { bun: PINNED } }))
  writeFileSync(join(clone, 'bun.lock'), 'locked\n')
  for (const [name, script] of [
    ['npm', FAKE_NPM],
    ['fake-bun', FAKE_BUN],
  ] as const) {
    writeFileSync(join(clone, 'bin', name), script)
    chmodSync(join(clone, 'bin', name), 0o755)
  }
})

afterEach(() => rmSync(clone, { recursive: true }))

function start(args: string[], environment: Record<string, string> = {}) {
  const runtime = Bun.which('node') ?? process.execPath
  return Bun.spawn([runtime, join(clone, 'build', 'with-bun.mjs'), ...args], {
    cwd: clone,
    env: {
      ...process.env,
      ...environment,
      PATH: `${join(clone, 'bin')}:${process.env['PATH']}`,
      CALLS: join(clone, 'calls'),
      FAKE_BUN: join(clone, 'bin', 'fake-bun'),
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
}

/** How npm and Bun were called since the last time. */
function takeCalls(): string[] {
  const file = join(clone, 'calls')
  if (!existsSync(file)) return []
  const calls = readFileSync(file, 'utf8').trimEnd().split('\n')
  rmSync(file)
  return calls
}

describe.skipIf(process.platform === 'win32')('with-bun', () => {
  test('a fresh clone gets Bun, its dependencies, and the command', async () => {
    expect(await start(['run', 'src/main.ts', 'demo']).exited).toBe(0)
    const runCall = 'bun --no-orphans run src/main.ts demo'
    expect(takeCalls()).toEqual([NPM_CALL, INSTALL_CALL, runCall])
  })

  test('what is set up is not set up again', async () => {
    await start(['test']).exited
    takeCalls()
    expect(await start(['test']).exited).toBe(0)
    expect(takeCalls()).toEqual(['bun --no-orphans test'])
  })

  test('another lock file brings the dependencies up to date', async () => {
    await start(['test']).exited
    takeCalls()
    appendFileSync(join(clone, 'bun.lock'), 'more\n')
    expect(await start(['test']).exited).toBe(0)
    expect(takeCalls()).toEqual([INSTALL_CALL, 'bun --no-orphans test'])
  })

  test('set-up that fails says so and runs nothing', async () => {
    const run = start(['test'], { NPM_FAILS: '1' })
    expect(await run.exited).toBe(1)
    expect(await run.stderr.text()).toContain('set-up failed: npm install: exit code 1')
    expect(takeCalls()).toEqual([NPM_CALL])
  })

  test('the exit code is the one of the command', async () => {
    expect(await start(['exit-7']).exited).toBe(7)
  })

  test('a signal reaches the command, whose end is waited for', async () => {
    const run = start(['wait'])
    const reader = run.stdout.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toBe('waiting\n')
    run.kill('SIGTERM')
    expect((await reader.read()).value).toBe('stopped\n')
    expect(await run.exited).toBe(3)
  })
})
