import type { Command } from 'commander'
import type { CommandOutput } from './command-line'
import {
  configOption,
  dataOption,
  hostOption,
  logFormatOption,
  logLevelOption,
  portOption,
  type LogFormat,
  type LogLevel,
} from './options'
import type { Finish } from './finish'

/** What the command line and the environment say; `undefined` leaves it to the configuration. */
export type ServeOptions = {
  configFile: string | undefined
  dataDirectory: string
  host: string | undefined
  port: number | undefined
  logLevel: LogLevel
  /** `undefined`: text on a terminal, JSON elsewhere. */
  logFormat: LogFormat | undefined
}

type ServeFlags = {
  config?: string
  data?: string
  host?: string
  port?: number
  logLevel: LogLevel
  logFormat?: LogFormat
}

/** `tollgate serve` as the serving process runs it; its parent never comes here. */
export function addServeCommand(program: Command, output: CommandOutput, finish: Finish): void {
  program
    .command('serve')
    .description('run the gateway')
    .addOption(configOption())
    .addOption(dataOption().env('TOLLGATE_DATA'))
    .addOption(hostOption('where to listen (default: 127.0.0.1)').env('TOLLGATE_HOST'))
    .addOption(portOption('where to listen (default: 8080)').env('TOLLGATE_PORT'))
    .addOption(logLevelOption())
    .addOption(logFormatOption())
    .addHelpText('after', EXAMPLES)
    .action(async (flags: ServeFlags) => {
      const [{ runServeProcess }, { defaultDataDirectory }] = await Promise.all([
        import('./serve-process'),
        import('./data-directory'),
      ])
      const options = toServeOptions(flags, defaultDataDirectory(process.env))
      finish(await runServeProcess(options, output))
    })
}

function toServeOptions(flags: ServeFlags, dataDirectory: string): ServeOptions {
  return {
    // Empty variables, as container files leave them, are as good as none.
    configFile: flags.config || undefined,
    dataDirectory: flags.data || dataDirectory,
    host: flags.host || undefined,
    port: flags.port,
    logLevel: flags.logLevel,
    logFormat: flags.logFormat,
  }
}

const EXAMPLES = `
SIGTERM drains and ends with 0; SIGHUP reads the configuration again.

Examples:
  OPENAI_API_KEY=… tollgate serve
  tollgate serve --config tollgate.yaml --data /var/lib/tollgate --log-format json`
