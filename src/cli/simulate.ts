import type { Command } from 'commander'
import { CommandError, EXIT, type CommandOutput } from './command-line'
import { hostOption, jsonOption, portOption } from './options'

type SimulateFlags = { host: string; port: number; json?: boolean }

/** `tollgate simulate`: the provider simulator alone, until SIGINT or SIGTERM. */
export function addSimulateCommand(program: Command, output: CommandOutput): void {
  program
    .command('simulate')
    .description('run the provider simulator alone')
    .addOption(hostOption('where to listen').default('127.0.0.1'))
    .addOption(portOption('where to listen').default(9001))
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  tollgate simulate --port 0 --json')
    .action(async (flags: SimulateFlags) => simulate(flags, output))
}

async function simulate({ host, port, json }: SimulateFlags, output: CommandOutput): Promise<void> {
  const [{ createSimulator }, { listFaults }] = await Promise.all([
    import('../simulator/simulator'),
    import('../simulator/faults'),
  ])
  const stopped = Promise.withResolvers<void>()
  // Before anything is printed: a script may stop what it has just heard of.
  process.on('SIGTERM', stopped.resolve).on('SIGINT', stopped.resolve)
  const simulator = start(() => createSimulator({ host, port }), `${host}:${port}`)
  const faults = listFaults()
  if (json) output.out(JSON.stringify({ url: simulator.url, faults }))
  else output.out(describe(simulator.url, faults))
  await stopped.promise
  await simulator.stop()
}

function start<Started>(create: () => Started, address: string): Started {
  try {
    return create()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandError(EXIT.address, `can't listen on ${address}: ${reason}`)
  }
}

function describe(url: string, faults: { model: string; summary: string }[]): string {
  const width = Math.max(...faults.map(({ model }) => model.length))
  const lines = faults.map(({ model, summary }) => `  ${model.padEnd(width)}  ${summary}`)
  return `The simulator listens on ${url} and takes any key and any model name. OpenAI's clients want ${url}/v1;
Anthropic's, Google's and Bedrock's want it as it is.

Timing goes into the model's name, in milliseconds and tokens a second, or into a header x-sim:
  sim-1;ttft=300;tps=50;jitter=5;tokens=100

Faults are models too:
${lines.join('\n')}

Stop it with Ctrl-C.`
}
