// The whole gateway under load: `bun bench/load/run.ts --help`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChildren } from './children'
import { type Figure, layOutFigures, median, passes } from './figures'
import { type Lab, makeCertificate, portsFrom } from './lab'
import { checkMachine, chooseCpus, type Cpus } from './machine'
import { HELP, parseOptions } from './options'
import type { Scenario } from './scenario'
import { arrival } from './scenarios/arrival'
import { connections } from './scenarios/connections'
import { embeddings } from './scenarios/embeddings'
import { failover } from './scenarios/failover'
import { health } from './scenarios/health'
import { keys } from './scenarios/keys'
import { kill } from './scenarios/kill'
import { limits } from './scenarios/limits'
import { recovery } from './scenarios/recovery'
import { reuse } from './scenarios/reuse'
import { routed } from './scenarios/routed'
import { saturation } from './scenarios/saturation'
import { soak } from './scenarios/soak'
import { start } from './scenarios/start'
import { streaming } from './scenarios/streaming'
import { tls } from './scenarios/tls'
import { uploads } from './scenarios/uploads'

const SCENARIOS: readonly Scenario[] = [
  saturation,
  connections,
  arrival,
  tls,
  reuse,
  streaming,
  start,
  kill,
  failover,
  health,
  recovery,
  limits,
  routed,
  keys,
  embeddings,
  uploads,
  soak,
]

/** Set in the process that measures, which sees only the CPU that it is pinned to. */
const CPUS_VARIABLE = 'TOLLGATE_BENCH_CPUS'

const EXIT = { within: 0, over: 1, unmeasured: 2 } as const

type Measured = { scenario: string; seconds: number; figures: Figure[] }

async function run(args: string[]): Promise<number> {
  const parsed = parseOptions(
    args,
    SCENARIOS.map(({ name }) => name)
  )
  if (!parsed.ok && parsed.help) {
    const list = SCENARIOS.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`)
    console.log(`${HELP}\n${list.join('\n')}`)
    return EXIT.within
  }
  if (!parsed.ok) return refuse(`${parsed.problem}\nSee --help.`)
  if (process.platform !== 'linux') return refuse('It reads /proc and pins processes: use Linux.')
  const cpus = readCpus(process.env[CPUS_VARIABLE])
  if (!cpus) return runPinned(args)
  const checked = checkMachine()
  if (!checked.ok) return refuse(checked.problems.join('\n'))

  const directory = mkdtempSync(join(tmpdir(), 'tollgate-bench-'))
  // The gateway's processes choose their own settings of Bun's.
  const { BUN_CONFIG_MAX_HTTP_REQUESTS: _, ...environment } = process.env
  const lab: Lab = {
    directory,
    certificateFile: join(directory, 'certificate.pem'),
    cpus,
    machine: checked.machine,
    options: parsed.options,
    ports: portsFrom(parsed.options.basePort),
    children: createChildren(directory, environment),
    say: (line) => console.error(line),
  }
  const cleanUp = () => {
    lab.children.killAll()
    rmSync(directory, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      cleanUp()
      process.exit(130)
    })
  }
  try {
    return await measureAll(lab)
  } finally {
    cleanUp()
  }
}

async function measureAll(lab: Lab): Promise<number> {
  const startedAt = new Date().toISOString()
  const measured: Measured[] = []
  let unmeasured = 0
  await makeCertificate(lab.children, join(lab.directory, 'key.pem'), lab.certificateFile)
  for (const scenario of SCENARIOS) {
    if (!lab.options.scenarios.includes(scenario.name)) continue
    lab.say(`${scenario.name}: ${scenario.summary}`)
    const startedAtMs = performance.now()
    try {
      const figures = await scenario.run(lab)
      const seconds = Math.round((performance.now() - startedAtMs) / 1_000)
      measured.push({ scenario: scenario.name, seconds, figures })
      console.log(`\n${scenario.name} (${seconds} s)`)
      console.log(`${layOutFigures(figures).join('\n')}\n`)
    } catch (error) {
      unmeasured++
      console.error(`${scenario.name} could not be measured: ${Bun.inspect(error)}`)
      // What a broken scenario left running would be in the way of the next.
      lab.children.killAll()
    }
    // After each, so that a long run that is cut short leaves what it found.
    if (lab.options.jsonFile)
      await Bun.write(lab.options.jsonFile, toJson(lab, startedAt, measured))
  }
  const over = measured.flatMap(({ figures }) => figures).filter((figure) => !passes(figure))
  if (unmeasured > 0) return EXIT.unmeasured
  return over.length > 0 ? EXIT.over : EXIT.within
}

function toJson({ machine, options }: Lab, startedAt: string, measured: Measured[]): string {
  const scenarios = measured.map(({ figures, ...facts }) => ({
    ...facts,
    figures: figures.map((figure) => ({
      ...figure,
      median: median(figure.values),
      passed: passes(figure),
    })),
  }))
  return `${JSON.stringify({ startedAt, machine, options, scenarios }, undefined, 2)}\n`
}

/** Runs the bench again in a process on the load's CPU, which all that it starts inherits. */
async function runPinned(args: string[]): Promise<number> {
  const cpus = chooseCpus()
  if (!cpus) return refuse('It needs two CPUs that it may use.')
  if (Bun.which('taskset') === null) return refuse('taskset is missing: apt-get install util-linux')
  const child = Bun.spawn(
    ['taskset', '-c', String(cpus.load), process.execPath, '--no-orphans', Bun.main, ...args],
    {
      env: {
        ...process.env,
        [CPUS_VARIABLE]: `${cpus.gateway},${cpus.load}`,
        // Read only when a process starts; without it Bun runs 256 requests at once.
        BUN_CONFIG_MAX_HTTP_REQUESTS: '65535',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    }
  )
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  return child.exited
}

function readCpus(text: string | undefined): Cpus | undefined {
  const [gateway, load] = (text ?? '').split(',').map(Number)
  return gateway === undefined || load === undefined ? undefined : { gateway, load }
}

function refuse(problem: string): number {
  console.error(problem)
  return EXIT.unmeasured
}

process.exit(await run(process.argv.slice(2)))
