// Runs the project's pinned Bun with the arguments given, after setting the checkout up where that
// is still to be done: `node build/with-bun.mjs test`. Plain JavaScript without dependencies, since
// it is the first thing that runs in a fresh clone, by Node and npm or by Bun alone.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const lockFile = join(root, 'bun.lock')
// A copy of the lock file that node_modules was installed from; test-preload.ts compares it too.
const stampFile = join(modules, '.installed-bun.lock')
const pinned = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.bun

function isSufficient(version) {
  const found = version.split(/[.+-]/).map(Number)
  const wanted = pinned.split('.').map(Number)
  const different = wanted.findIndex((part, index) => part !== found[index])
  return different === -1 || found[different] > wanted[different]
}

function versionOf(bun) {
  const { status, stdout } = spawnSync(bun, ['--version'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : '0'
}

/** The executables that npm or Bun put into node_modules; only those of this system run. */
function findInstalled() {
  const scope = join(modules, '@oven')
  if (!existsSync(scope)) return undefined
  return readdirSync(scope)
    .map((name) => join(scope, name, 'bin', process.platform === 'win32' ? 'bun.exe' : 'bun'))
    .find((bun) => existsSync(bun) && isSufficient(versionOf(bun)))
}

function findRunning() {
  const version = process.versions.bun
  // `bun run` puts itself on the PATH as `node`, through a link; under that name it is no Bun.
  return version && isSufficient(version) ? realpathSync(process.execPath) : undefined
}

function installBun() {
  const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund']
  runStep('npm', ['install', ...options, '--loglevel=error', `bun@${pinned}`])
  return findInstalled()
}

function runStep(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    // What set-up prints is no output of the command that was asked for.
    stdio: ['ignore', process.stderr, process.stderr],
    // npm is a script on Windows, which only a shell can start.
    shell: process.platform === 'win32' && command === 'npm',
  })
  if (status === 0) return
  const reason = error ? error.message : `exit code ${status}`
  console.error(`set-up failed: ${command} ${args[0]}: ${reason}`)
  process.exit(1)
}

function isInstalled() {
  return existsSync(stampFile) && readFileSync(stampFile).equals(readFileSync(lockFile))
}

function setUp() {
  const installed = findInstalled() ?? findRunning()
  if (installed && isInstalled()) return installed
  console.error('Setting up: installing the locked dependencies …')
  const bun = installed ?? installBun()
  if (!bun) {
    console.error(`set-up failed: no Bun ${pinned} for ${process.platform} ${process.arch}`)
    process.exit(1)
  }
  runStep(bun, ['install', '--frozen-lockfile', '--ignore-scripts'])
  writeFileSync(stampFile, readFileSync(lockFile))
  return findInstalled() ?? bun
}

function runBun(bun, args) {
  // Ahead of the start, or a signal in between would end this process alone. Ctrl-C reaches the
  // child by itself and then a second time, which does no harm.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal))
  }
  // No orphans: the child ends with this process even where that is killed outright.
  const child = spawn(bun, ['--no-orphans', ...args], {
    stdio: 'inherit',
    env: { ...process.env, TOLLGATE_SET_UP: '1' },
  })
  process.on('exit', () => child.kill('SIGKILL'))
  child.on('error', (error) => {
    console.error(`${bun}: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

runBun(setUp(), process.argv.slice(2))
