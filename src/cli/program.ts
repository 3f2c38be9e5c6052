import { Command, CommanderError } from 'commander'
import { version } from '../std/version'
import { addCheckCommand } from './check'
import { CommandError, EXIT, type CommandOutput, type ExitCode } from './command-line'
import { addDemoCommand } from './demo-command'
import type { Finish } from './finish'
import { addRoutesCommands } from './routes'
import { addServeCommand } from './serve'
import { addSimulateCommand } from './simulate'
import { addVersionCommand } from './version'

/**
 * Runs one command line (the arguments after the executable's name) and gives the exit code once
 * the command has ended, which for `serve` is when it has drained.
 */
export async function runCommandLine(args: string[], output: CommandOutput): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok
  const program = await createProgram(args, output, (code) => (exitCode = code))
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has printed its message already; asking for help is its only end that isn't an error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (error instanceof CommandError) {
      output.error(`tollgate: ${error.message}`)
      return error.exitCode
    }
    output.error(Bun.inspect(error))
    return EXIT.failed
  }
}

async function createProgram(
  args: string[],
  output: CommandOutput,
  finish: Finish
): Promise<Command> {
  const program = new Command('tollgate')
    .description('One API over all model providers, with keys, logs and exact accounts.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.out(text.replace(/\n$/, '')),
      writeErr: (text) => output.error(text.replace(/\n$/, '')),
    })
    .addHelpText('after', EXAMPLES)
  addServeCommand(program, output, finish)
  addDemoCommand(program, output, finish)
  addSimulateCommand(program, output)
  addCheckCommand(program, output, finish)
  addRoutesCommands(program, output, finish)
  if (args[0] !== 'serve') await addDataCommands(program, output, finish)
  addVersionCommand(program, output)
  return program
}

/** These load the databases' code, which would delay the start of `serve`, the only one in a hurry. */
async function addDataCommands(
  program: Command,
  output: CommandOutput,
  finish: Finish
): Promise<void> {
  const [keys, teams, organizations, logs, requests, models, ledger, alerts] = await Promise.all([
    import('./keys'),
    import('./teams'),
    import('./organizations'),
    import('./logs'),
    import('./requests'),
    import('./models'),
    import('./ledger'),
    import('./alerts'),
  ])
  keys.addKeysCommands(program, output)
  teams.addTeamsCommands(program, output)
  organizations.addOrganizationsCommands(program, output)
  logs.addLogsCommands(program, output)
  requests.addRequestsCommands(program, output)
  models.addModelsCommands(program, output)
  ledger.addLedgerCommands(program, output)
  alerts.addAlertsCommands(program, output, finish)
}

const EXAMPLES = `
Examples:
  tollgate demo                              try it, with a simulated provider
  OPENAI_API_KEY=… tollgate serve            serve OpenAI on 127.0.0.1:8080
  tollgate serve --config tollgate.yaml      serve what a file declares
  tollgate keys create --name app            make a virtual key
  tollgate logs tail --json                  follow the requests

Exit codes: 0 done, 1 failed, 2 wrong command line, 3 configuration refused, 4 address not free,
5 data directory not usable, 6 not found.`
