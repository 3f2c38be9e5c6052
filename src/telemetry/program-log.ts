import { redact } from './redact'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

export type ProgramLogLevel = (typeof LEVELS)[number]
export type ProgramLogFormat = 'json' | 'text'

/** Facts beside a message; what is `undefined` is left out. */
export type ProgramLogFields = Readonly<Record<string, unknown>>

/** What the program says about itself, one line an entry. Messages are constant, facts are fields. */
export type ProgramLog = Record<
  ProgramLogLevel,
  (message: string, fields?: ProgramLogFields) => void
>

export type ProgramLogOptions = {
  /** The least that is written. */
  level: ProgramLogLevel
  /** Text where a person reads, on a terminal, and JSON elsewhere, unless said. */
  format?: ProgramLogFormat | undefined
  /** Takes a line without its end; standard error unless said. */
  write?: (line: string) => void
}

/** Makes the program log. What looks like a secret is masked in every line. */
export function createProgramLog(options: ProgramLogOptions): ProgramLog {
  const { level, write = writeToStandardError } = options
  const render = chooseFormat(options.format) === 'json' ? renderJson : renderText
  const at = (entryLevel: ProgramLogLevel) =>
    LEVELS.indexOf(entryLevel) < LEVELS.indexOf(level)
      ? () => {}
      : (message: string, fields: ProgramLogFields = {}) =>
          write(redact(render(entryLevel, message, fields)))
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function chooseFormat(format: ProgramLogFormat | undefined): ProgramLogFormat {
  return format ?? (process.stderr.isTTY ? 'text' : 'json')
}

function renderJson(level: ProgramLogLevel, message: string, fields: ProgramLogFields): string {
  // The fixed names come last: no field can pass for them.
  const { time: _time, level: _level, message: _message, ...others } = toPlainFields(fields)
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...others })
}

function renderText(level: ProgramLogLevel, message: string, fields: ProgramLogFields): string {
  const time = new Date().toISOString().slice(11, 23)
  const facts = Object.entries(toPlainFields(fields)).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? quote(value) : JSON.stringify(value)}`
  )
  return [time, level.toUpperCase().padEnd(5), message, ...facts].join(' ')
}

/** Fields as JSON can show them; an error as its stack, which begins with its message. */
function toPlainFields(fields: ProgramLogFields): Record<string, unknown> {
  const plain: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    if (value instanceof Error) plain[name] = describeError(value)
    else plain[name] = typeof value === 'bigint' ? String(value) : value
  }
  return plain
}

function describeError(error: Error): string {
  const cause = error.cause === undefined ? '' : `; cause: ${causeOf(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}

function causeOf(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
}

function quote(value: string): string {
  return /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value)
}

function writeToStandardError(line: string): void {
  process.stderr.write(`${line}\n`)
}
