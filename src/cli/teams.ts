import type { Command } from 'commander'
import type { CommandOutput } from './command-line'
import type { Environment } from './data-directory'
import { addGroupCommands } from './group-commands'

/** Adds `teams create|list|show|update|delete`, which work whether or not a gateway runs. */
export function addTeamsCommands(
  program: Command,
  output: CommandOutput,
  env: Environment = process.env
): void {
  addGroupCommands(program, 'team', output, env)
}
