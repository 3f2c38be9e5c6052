import type { Command } from 'commander'
import type { CommandOutput } from './command-line'
import type { Environment } from './data-directory'
import { addGroupCommands } from './group-commands'

/** Adds `organizations create|list|show|update|delete`, which work whether or not a gateway runs. */
export function addOrganizationsCommands(
  program: Command,
  output: CommandOutput,
  env: Environment = process.env
): void {
  addGroupCommands(program, 'organization', output, env)
}
