/** What a command writes to; tests hand in their own. Lines come without their newline. */
export type CommandOutput = {
  out(line: string): void
  error(line: string): void
}

/** Exit codes, for scripts. The supervisor restarts a serving process on none of 0, 2, 3, 4 and 5. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** The command line itself: unknown command, option or argument. */
  usage: 2,
  /** The configuration was refused. */
  configuration: 3,
  /** The address can't be listened on. */
  address: 4,
  /** The data directory is in use, unreadable, or newer than this program. */
  dataDirectory: 5,
  /** What was asked for does not exist. */
  notFound: 6,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends a command with a message for a person and a code for a script. */
export class CommandError extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string) {
    super(message)
    this.name = 'CommandError'
    this.exitCode = exitCode
  }
}
