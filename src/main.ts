import { SERVING_PROCESS_VARIABLE, superviseServe } from './cli/supervise-serve'

/**
 * The executable. `serve` is two processes, and the first starts the second before anything else is
 * loaded. No top-level await here, which bytecode can't have (oven-sh/bun#37770).
 */
async function run(args: string[]): Promise<number> {
  const isServing = process.env[SERVING_PROCESS_VARIABLE] === '1'
  if (args[0] === 'serve' && !isServing) return superviseServe(args)
  const { runCommandLine } = await import('./cli/program')
  return runCommandLine(args, { out: console.log, error: console.error })
}

// The code ends the process: what is still open by then (a timer, a socket) has no say.
void run(process.argv.slice(2)).then((exitCode) => process.exit(exitCode))
