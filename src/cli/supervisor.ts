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
    reload: () => child?.kill('SIGHUP'),
  })
  try {
    for (let delayMs = backOff.firstMs; ; delayMs = Math.min(delayMs * 2, backOff.maxMs)) {
      const startedAtMs = performance.now()
      child = Bun.spawn(command, {
        env: environment,
        stdin: 'ignore',
        stdout: 'inherit',
        stderr: 'inherit',
      })
      const exitCode = await child.exited
      if (isStopping) return endedByStop(child) ? EXIT.ok : exitCode
      if (FINAL_EXIT_CODES.has(exitCode)) return exitCode
      if (performance.now() - startedAtMs >= backOff.healthyAfterMs) delayMs = backOff.firstMs
      const fields = { exitCode, signal: child.signalCode ?? undefined, delayMs }
      notice(`the serving process ${describeEnd(child)}; starting it again`, fields)
      child = undefined
      if ((await Promise.race([Bun.sleep(delayMs), stop.promise])) === 'stop') return EXIT.ok
    }
  } finally {
    removeHandlers()
  }
}

/** A process that was stopped before it could listen for signals had nothing to drain. */
function endedByStop(child: Bun.Subprocess): boolean {
  return child.signalCode === 'SIGTERM' || child.signalCode === 'SIGINT'
}

function describeEnd(child: Bun.Subprocess): string {
  return child.signalCode ? `was killed by ${child.signalCode}` : `ended with ${child.exitCode}`
}

type SignalHandlers = { stop(): void; reload(): void }

/** Gives the function that takes the handlers away again. */
function onSignals({ stop, reload }: SignalHandlers): () => void {
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reload)
  return () => {
    process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', reload)
  }
}
