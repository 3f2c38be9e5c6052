// `bun test` in a fresh clone: the modules of the tests can't be resolved any more once a preload
// has installed them, so the tests run in a process of their own and this one ends with its code.
// In a checkout that is set up this compares two small files and does nothing.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dir, '..')

function isSetUp(): boolean {
  const stampFile = join(root, 'node_modules', '.installed-bun.lock')
  if (!existsSync(stampFile)) return false
  return readFileSync(stampFile).equals(readFileSync(join(root, 'bun.lock')))
}

/** The arguments of `bun test`: hidden from process.argv, so all tests run where /proc is missing. */
function testArguments(): string[] {
  if (!existsSync('/proc/self/cmdline')) return ['test']
  return readFileSync('/proc/self/cmdline', 'utf8').split('\0').slice(1, -1)
}

if (process.env['TOLLGATE_SET_UP'] !== '1' && !isSetUp()) {
  const command = [process.execPath, join(root, 'build', 'with-bun.mjs'), ...testArguments()]
  const { exitCode } = Bun.spawnSync(command, { stdio: ['inherit', 'inherit', 'inherit'] })
  process.exit(exitCode)
}
