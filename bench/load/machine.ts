import { existsSync, readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'

/** One core for whatever is measured, another for the upstream and the load. */
export type Cpus = { gateway: number; load: number }

export type Machine = {
  cpu: string
  kernel: string
  memoryBytes: number
  nginx: string
  bun: string
  /** `undefined`: built into nginx. */
  echoModule: string | undefined
}

export type MachineCheck = { ok: true; machine: Machine } | { ok: false; problems: string[] }

const TOOLS: Record<string, string> = {
  nginx: 'apt-get install nginx',
  wrk: 'apt-get install wrk',
  vegeta: 'go install github.com/tsenart/vegeta/v12@latest',
  openssl: 'apt-get install openssl',
  taskset: 'apt-get install util-linux',
}

const WANTED_FILES = 16_384

/** Whether the bench can run here; if not, what is missing and how to get it. */
export function checkMachine(): MachineCheck {
  const problems = Object.entries(TOOLS)
    .filter(([tool]) => Bun.which(tool) === null)
    .map(([tool, how]) => `${tool} is missing: ${how}`)
  const files = Number(
    /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  )
  if (files < WANTED_FILES)
    problems.push(`only ${files} open files are allowed: ulimit -n ${WANTED_FILES}`)
  const echo = findEchoModule()
  if (Bun.which('nginx') !== null && !echo.found)
    problems.push("nginx's echo module is missing: apt-get install libnginx-mod-http-echo")
  if (problems.length > 0) return { ok: false, problems }
  return {
    ok: true,
    machine: {
      cpu: `${cpus()[0]?.model.trim()}, ${cpus().length} CPUs`,
      kernel: release(),
      memoryBytes: totalmem(),
      nginx: /nginx\/(\S+)/.exec(echo.version)?.[1] ?? 'unknown',
      bun: Bun.version,
      echoModule: echo.path,
    },
  }
}

/** The first two CPUs that this process may use. */
export function chooseCpus(): Cpus | undefined {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  const allowed = (list ?? '').split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, index) => from + index)
  })
  const [gateway, load] = allowed
  return gateway === undefined || load === undefined ? undefined : { gateway, load }
}

function findEchoModule(): { found: boolean; path: string | undefined; version: string } {
  if (Bun.which('nginx') === null) return { found: false, path: undefined, version: '' }
  const version = Bun.spawnSync(['nginx', '-V']).stderr.toString()
  const folder = /--modules-path=(\S+)/.exec(version)?.[1]
  const path = folder && join(folder, 'ngx_http_echo_module.so')
  if (path && existsSync(path)) return { found: true, path, version }
  return { found: /add-module=\S*echo/.test(version), path: undefined, version }
}
