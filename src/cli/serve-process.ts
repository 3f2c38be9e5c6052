import { loadConfiguration } from '../config/load-configuration'
import { renderProblems } from '../config/problem'
import { takeServingLock } from '../db/data-directory'
import { CATALOG } from '../providers/catalog'
import { lowerThreads } from '../std/thread-priority'
import { createProgramLog, type ProgramLog } from '../telemetry/program-log'
import { checkModelList } from './check-model-list'
import { CommandError, type CommandOutput, EXIT, type ExitCode } from './command-line'
import { openDataDirectory } from './data-directory'
import { openGateway } from './open-gateway'
import type { ServeOptions } from './serve'

/**
 * The serving process: opens everything, listens, reloads on SIGHUP, drains on SIGTERM or SIGINT. Gives its
 * exit code when it has drained; throws a `CommandError` when it can't start.
 */
export async function runServeProcess(
  options: ServeOptions,
  output: CommandOutput
): Promise<ExitCode> {
  const programLog = createProgramLog({
    level: options.logLevel,
    format: options.logFormat ?? (process.stderr.isTTY ? 'text' : 'json'),
    write: (line) => output.error(line),
  })
  const loaded = await load(options)
  if (!loaded.ok) throw new CommandError(EXIT.configuration, renderProblems(loaded.problems))
  const { configuration, source } = loaded
  const { directory, secret, lock } = openServingDirectory(options.dataDirectory)
  const gateway = tryListening(configuration.server, () =>
    openGateway({ configuration, directory, secret, programLog })
  )
  programLog.info('the gateway is listening', {
    url: gateway.url,
    configuration: source,
    data: directory.path,
    providers: configuration.providers.map(({ name }) => name).join(', '),
  })

  yieldToRequests()
  let current = configuration
  const reload = async () => {
    const next = await load(options)
    if (!next.ok)
      return programLog.error('the new configuration is refused, the old one stays', {
        problems: renderProblems(next.problems),
      })
    warnOfRestart(current.server, next.configuration.server, programLog)
    current = next.configuration
    gateway.reload(current)
    programLog.info('the configuration was reloaded', { configuration: next.source })
  }
  process.on('SIGHUP', () => void reload())

  const reason = await untilStopped()
  const { readinessDelayMs, limitMs } = current.server.drain
  programLog.info('draining', { reason, readinessDelayMs, limitMs })
  gateway.becomeUnready()
  await Bun.sleep(readinessDelayMs)
  const cut = await gateway.drain(limitMs)
  lock.release()
  programLog.info('stopped', { cut })
  return EXIT.ok
}

/**
 * What yields on a busy core to the thread that serves, by nice values: upstream connections, which else interrupt it for
 * every single answer, JSC's compilers, which else take whole slices of its time in the first minutes, and what gives memory back.
 */
const YIELDING = { 'HTTP Client': 5, JITWorker: 5, 'mi-scavenger': 5 }
const LOOK_MS = 2_000

/** Has threads wait their turn. The one of connections then takes a third less time a request. */
function yieldToRequests(): void {
  if (process.platform !== 'linux') return
  // Bun makes them when they are needed, and lets go of those that rest.
  setInterval(() => lowerThreads(YIELDING), LOOK_MS).unref()
}

function load(options: ServeOptions) {
  return loadConfiguration({
    file: options.configFile,
    env: process.env,
    overrides: { host: options.host, port: options.port },
    rows: CATALOG,
    checkModelList,
  })
}

/** Makes the data directory ready and takes it for this process. Throws a `CommandError`. */
export function openServingDirectory(path: string) {
  const { directory, secret } = openDataDirectory(path)
  const taken = takeServingLock(directory)
  if (!taken.ok) throw new CommandError(EXIT.dataDirectory, taken.problem)
  return { directory, secret, lock: taken.lock }
}

/** Turns an address that can't be had into an exit code that no supervisor restarts on. */
export function tryListening<T>(address: { host: string; port: number }, open: () => T): T {
  try {
    return open()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw error
    throw new CommandError(
      EXIT.address,
      `can't listen on ${address.host}:${address.port} (${code}); choose another with --port or --host`
    )
  }
}

/** Resolves with the name of the first signal to stop; later ones change nothing. */
export function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal))
  })
}

/** What was bound at the start can't be changed under open connections. */
function warnOfRestart(
  old: { host: string; port: number; tls: unknown },
  next: { host: string; port: number; tls: unknown },
  programLog: ProgramLog
): void {
  const changed = old.host !== next.host || old.port !== next.port
  if (changed || !Bun.deepEquals(old.tls, next.tls))
    programLog.warn('server.host, server.port and server.tls take effect with the next start')
}
