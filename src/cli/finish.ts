import type { ExitCode } from './command-line'

/** How a command ends with another code than 0 where there is no message left to print. */
export type Finish = (exitCode: ExitCode) => void
