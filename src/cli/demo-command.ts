import type { Command } from 'commander'
import type { CommandOutput } from './command-line'
import { dataOption, hostOption, jsonOption, portOption } from './options'
import type { Finish } from './finish'

export type DemoOptions = {
  host: string
  port: number
  /** `undefined`: a directory of its own, gone when the demo ends. */
  dataDirectory: string | undefined
  json: boolean
}

type DemoFlags = { host: string; port: number; data?: string; json?: boolean }

/** `tollgate demo`: the gateway before a simulated provider, with a key and a curl to paste. */
export function addDemoCommand(program: Command, output: CommandOutput, finish: Finish): void {
  program
    .command('demo')
    .description('run the gateway with a simulated provider, and print a curl that works')
    .addOption(hostOption('where to listen').default('127.0.0.1'))
    .addOption(portOption('where to listen').default(8080))
    .addOption(dataOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  tollgate demo --port 0')
    .action(async ({ host, port, data, json = false }: DemoFlags) => {
      const { runDemo } = await import('./demo')
      finish(await runDemo({ host, port, dataDirectory: data || undefined, json }, output))
    })
}
