import type { Command } from 'commander'
import { version } from '../std/version'
import type { CommandOutput } from './command-line'
import { jsonOption } from './options'

/** `tollgate version`: what a bug report needs. */
export function addVersionCommand(program: Command, output: CommandOutput): void {
  program
    .command('version')
    .description('print the version')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  tollgate version --json')
    .action(({ json = false }: { json?: boolean }) => {
      const { platform, arch } = process
      if (json) output.out(JSON.stringify({ version, bun: Bun.version, platform, arch }))
      else output.out(`tollgate ${version} (Bun ${Bun.version}, ${platform} ${arch})`)
    })
}
