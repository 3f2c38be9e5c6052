import { EXIT } from './command-line'

/** Where the supervisor says what happened; `fields` are for machines. */
export type Notice = (message: string, fields: Record<string, unknown>) => void

export type SupervisorOptions = {
  /** The serving process: its executable and arguments. */
  command: string[]
  environment: Record<string, string | undefined>
  notice: Notice
  backOff?: { firstMs: number; maxMs: number; healthyAfterMs: number }
}

const BACK_OFF = { firstMs: 100, maxMs: 10_000, healthyAfterMs: 60_000 }

/** Ends that a new process would only repeat, or that were meant. */
const FINAL_EXIT_CODES: ReadonlySet<number> = new Set([
  EXIT.ok,
  EXIT.usage,
  EXIT.configuration,
  EXIT.address,
  EXIT.dataDirectory,
])

/** A process stopped before it could listen for signals had nothing to drain: that is no failure. */
const STOP_SIGNALS: ReadonlySet<string | undefined> = new Set(['SIGTERM', 'SIGINT'])

const STDIO: ['ignore', 'inherit', 'inherit'] = ['ignore', 'inherit', 'inherit']

/**
 * Runs the serving process and starts it again when it dies, until it is told to stop by SIGTERM or
 * SIGINT, or ends with a code that a restart can't mend. Gives the exit code of the last one.
 */
export async function supervise(options: SupervisorOptions): Promise<number> {
  const { command, environment, notice, backOff = BACK_OFF } = options
  const stop = Promise.withResolvers<'stop'>()
  let child: Bun.Subprocess | undefined
  let isStopping = false
  // On Windows a signal is a kill; there Ctrl-C, the only way to ask, has reached the child by itself.
  const canSignal = process.platform !== 'win32'
  const removeHandlers = onSignals({
    // Only the first is passed on: a second finds the child draining already. The child hears
    // SIGTERM for SIGINT too, since Ctrl-C in a terminal has reached it by itself.
    stop() {
      if (isStopping) return
      isStopping = true
      stop.resolve('stop')
      if (canSignal) child?.kill('SIGTERM')
    },
    reload() {
      if (canSignal) child?.kill('SIGHUP')
    },
  })
  const spawn = () => (child = Bun.spawn(command, { env: environment, stdio: STDIO }))
  try {
    for (let delayMs = backOff.firstMs; ; delayMs = Math.min(delayMs * 2, backOff.maxMs)) {
      const startedAtMs = performance.now()
      const end = await runOnce(spawn)
      child = undefined
      if (isStopping) return STOP_SIGNALS.has(end.signal) ? EXIT.ok : end.exitCode
      if (FINAL_EXIT_CODES.has(end.exitCode)) return end.exitCode
      if (performance.now() - startedAtMs >= backOff.healthyAfterMs) delayMs = backOff.firstMs
      notice('the serving process is down; starting it again', { ...end, delayMs })
      if ((await Promise.race([Bun.sleep(delayMs), stop.promise])) === 'stop') return EXIT.ok
    }
  } finally {
    removeHandlers()
  }
}

type End = { exitCode: number; signal: string | undefined; error?: Error }

async function runOnce(spawn: () => Bun.Subprocess): Promise<End> {
  try {
    const child = spawn()
    return { exitCode: await child.exited, signal: child.signalCode?.toString() }
  } catch (error) {
    // No memory, no process to be had, the executable being replaced: all of it may pass.
    if (error instanceof Error) return { exitCode: EXIT.failed, signal: undefined, error }
    throw error
  }
}

type SignalHandlers = { stop(): void; reload(): void }

/** Gives the function that takes the handlers away again. */
function onSignals({ stop, reload }: SignalHandlers): () => void {
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reload)
  return () => {
    process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', reload)
  }
}
