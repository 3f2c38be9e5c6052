/** Where a field stands in a configuration: `['providers', 'openai', 'models', 0]`. */
export type FieldPath = readonly (string | number)[]

/** One thing that is wrong with a configuration. No text in it holds a secret's value. */
export type Problem = {
  /** The file as it was named, `environment`, or the option that was given. */
  source: string
  /** Both from 1; `undefined` where nothing in the file is at fault. */
  line: number | undefined
  column: number | undefined
  /** Dotted, e.g. `providers.openai.api_key`; empty for the file as a whole. */
  path: string
  /** What is wrong, to be read behind the path: `is not a known field`. */
  message: string
  found: string | undefined
  allowed: string | undefined
  /** The known name that was probably meant. */
  nearest: string | undefined
  /** What to write or do instead. */
  fix: string | undefined
}

export type ProblemDetails = {
  message: string
  found?: string | undefined
  allowed?: string | undefined
  nearest?: string | undefined
  fix?: string | undefined
  /** The field's name is at fault, not its value. */
  atKey?: boolean
}

/** Notes a problem with the field at `path`; how it is placed in the file is the reporter's. */
export type Report = (path: FieldPath, details: ProblemDetails) => void

/** Completes `details` to a problem. */
export function toProblem(
  source: string,
  place: { line: number; column: number } | undefined,
  path: FieldPath,
  details: ProblemDetails
): Problem {
  return {
    source,
    line: place?.line,
    column: place?.column,
    path: path.join('.'),
    message: details.message,
    found: details.found,
    allowed: details.allowed,
    nearest: details.nearest,
    fix: details.fix,
  }
}

/** The problems as a person reads them, each a paragraph; lines end with a newline. */
export function renderProblems(problems: readonly Problem[]): string {
  return problems.map(renderProblem).join('\n')
}

function renderProblem(problem: Problem): string {
  const place = problem.line === undefined ? '' : `:${problem.line}:${problem.column ?? 1}`
  const lines = [`${problem.source}${place}: ${`${problem.path} ${problem.message}`.trim()}`]
  if (problem.found !== undefined) lines.push(`  found:   ${problem.found}`)
  if (problem.allowed !== undefined) lines.push(`  allowed: ${problem.allowed}`)
  if (problem.nearest !== undefined) lines.push(`  did you mean ${problem.nearest}?`)
  if (problem.fix !== undefined) lines.push(`  to mend: ${problem.fix}`)
  return `${lines.join('\n')}\n`
}

/** Notes a problem with one field of a provider, `/` between a field and its own; '' is the provider itself. */
export type FieldReport = (field: string, details: ProblemDetails) => void
