import { InvalidArgumentError, Option } from 'commander'

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
const LOG_FORMATS = ['json', 'text'] as const

export type LogLevel = (typeof LOG_LEVELS)[number]
export type LogFormat = (typeof LOG_FORMATS)[number]

/** Options that several commands take, so that they read the same everywhere. */
export const configOption = () =>
  new Option(
    '--config <file>',
    'YAML or JSON; without it, providers come from the environment'
  ).env('TOLLGATE_CONFIG')

export const dataOption = () => new Option('--data <directory>', 'where state and logs live')

export const jsonOption = () => new Option('--json', 'print JSON')

export const hostOption = (description: string) => new Option('--host <host>', description)

export const portOption = (description: string) =>
  new Option('--port <port>', description).argParser(parsePort)

export const logLevelOption = () =>
  new Option('--log-level <level>', 'the least that is logged').choices(LOG_LEVELS).default('info')

export const logFormatOption = () =>
  new Option('--log-format <format>', 'of the program log; text on a terminal').choices(LOG_FORMATS)

function parsePort(text: string): number | undefined {
  // An empty TOLLGATE_PORT, as container files leave it, is as good as none.
  if (text === '') return undefined
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('A port is a number from 0 to 65535; 0 takes a free one.')
}
