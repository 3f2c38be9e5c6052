import { basename, dirname, resolve } from 'node:path'
import { isRecord } from '../std/record'
import { checkFields } from './check-fields'
import { type BudgetSettings, type Configuration, deepFreeze } from './configuration'
import type { ProviderConfiguration, RateSettings, FailoverConfiguration } from './configuration'
import { resolveModels } from './model-settings'
import { type FieldPath, type Problem, type Report, toProblem } from './problem'
import type { ProviderRow } from './provider-row'
import { readText } from './read-text'
import { resolveAlerts } from './resolve-alerts'
import { resolveProvider } from './resolve-provider'
import { resolveRoutes } from './resolve-routes'
import { resolveServer } from './resolve-server'
import { type ProviderFields, providerSchema } from './provider-fields'
import type { ConfigurationFile } from './schema'
import { type SourceText, parseSourceText } from './source-text'

export type ConfigurationResult =
  | {
      ok: true
      configuration: Configuration
      /** The file as it was named, or `environment`. */
      source: string
    }
  | { ok: false; problems: Problem[] }

export type ConfigurationOptions = {
  env: Readonly<Record<string, string | undefined>>
  /** What options on the command line or their variables say; they win over the file. */
  overrides: { host?: string | undefined; port?: number | undefined }
  /** The catalog. */
  rows: readonly ProviderRow[]
  /** What is wrong with a list of models, to be read behind the file's name; `undefined` for nothing. */
  checkModelList?(text: string, name: string): string | undefined
}

const ENVIRONMENT = 'environment'
const MAX_LIST_BYTES = 32 * 1024 * 1024
const MAX_FILE_BYTES = 4 * 1024 * 1024

/**
 * The configuration of `file`, or of the environment alone when it is `undefined`. Secrets and
 * certificates are read anew each time. Either all of it is right, or every problem is told.
 */
export async function loadConfiguration(
  options: ConfigurationOptions & { file: string | undefined }
): Promise<ConfigurationResult> {
  const { file } = options
  if (file === undefined) {
    const source = { value: {}, problems: [], placeOf: () => undefined }
    return resolveSource(source, ENVIRONMENT, process.cwd(), options)
  }
  const read = await readText(file, MAX_FILE_BYTES)
  if (!read.ok)
    return { ok: false, problems: [toProblem(file, undefined, [], { message: read.reason })] }
  return parseConfiguration(read.text, { ...options, name: file, directory: dirname(file) })
}

/** The same for a file's text; `name` is what problems call it, paths in it are relative to `directory`. */
export async function parseConfiguration(
  text: string,
  options: ConfigurationOptions & { name: string; directory: string }
): Promise<ConfigurationResult> {
  const source = await parseSourceText(text, options.name)
  return resolveSource(source, options.name, resolve(options.directory), options)
}

async function resolveSource(
  source: SourceText,
  name: string,
  directory: string,
  options: ConfigurationOptions
): Promise<ConfigurationResult> {
  const problems = [...source.problems]
  // Text that can't be read has no fields to look at; one with two equal names has.
  if (source.value === undefined) return { ok: false, problems }
  const report = createReport(source, name, options.overrides, problems)
  const checked = checkFields(withOverrides(source.value, options.overrides), report)
  if (checked === undefined) return { ok: false, problems: inOrder(problems) }

  const { file, complete } = checked
  const server = await resolveServer(file, directory, report)
  const providers = await resolveProviders(file, directory, options, report)
  if (complete && problems.length === 0 && providers.length === 0) {
    const variables = options.rows.flatMap((row) => row.apiKeyEnv ?? []).join(', ')
    report(['providers'], {
      message: 'has none, so that nobody could answer',
      fix: `set one of ${variables}, or name a provider in the file`,
    })
  }
  const alerts = await resolveAlerts(file.alerts, { env: options.env, directory }, report)
  const names = Object.keys(file.providers ?? chooseFromEnvironment(options.rows, options.env))
  const routes = await resolveRoutes(file.routes, names, report)
  const modelList = await readModelList(file, directory, options, report)
  if (problems.length > 0) return { ok: false, problems: inOrder(problems) }
  const configuration: Configuration = {
    server,
    keys: { required: file.keys.required },
    log: {
      bodies: file.log.bodies,
      maxBodyBytes: file.log.max_body,
      retention: { ageMs: file.log.retention.age, sizeBytes: file.log.retention.size },
      refusedRowsPerSecond: file.log.refused_rows_per_second,
      whenDiskFull: file.log.when_disk_full,
    },
    failover: toFailover(file.failover),
    responses: { keepMs: file.responses.keep },
    batches: { pollMs: file.batches.poll },
    models: resolveModels(file.models),
    modelList,
    routes,
    budgets: file.budgets.map(toBudget),
    limits: file.limits.map(toRate),
    alerts,
    providers,
  }
  return { ok: true, configuration: deepFreeze(configuration), source: name }
}

async function readModelList(
  { model_list: path }: ConfigurationFile,
  directory: string,
  { checkModelList }: ConfigurationOptions,
  report: Report
): Promise<Configuration['modelList']> {
  if (path === undefined) return undefined
  const list = await readText(resolve(directory, path), MAX_LIST_BYTES)
  const name = basename(path)
  const problem = list.ok ? checkModelList?.(list.text, name) : list.reason
  if (list.ok && problem === undefined) return { name, text: list.text }
  report(['model_list'], { message: `names a file that can't be used: ${problem}` })
  return undefined
}

function toFailover(failover: ConfigurationFile['failover']): FailoverConfiguration {
  const { context_length, content_policy, ...rest } = failover
  return { ...rest, contextLength: context_length, contentPolicy: content_policy }
}

function toBudget(budget: ConfigurationFile['budgets'][number]): BudgetSettings {
  return {
    subject: budget.subject,
    limitUsd: budget.limit_usd,
    overshootUsd: budget.overshoot_usd,
    unknownPrice: budget.unknown_price,
    alertAt: budget.alert_at,
    override: budget.override && {
      limitUsd: budget.override.limit_usd,
      untilMs: budget.override.until,
    },
    windowText: budget.window,
    reset: budget.reset,
    timezone: budget.timezone,
    weekStart: budget.week_start,
  }
}

function toRate(limit: ConfigurationFile['limits'][number]): RateSettings {
  const { subject, per, calendar, timezone, override, ...amounts } = limit
  const { until = 0, ...others } = override ?? {}
  return {
    subject,
    amounts: given(amounts),
    override: override && { amounts: given(others), untilMs: until },
    windowText: per,
    reset: calendar ? 'calendar' : 'rolling',
    timezone,
    weekStart: 'monday',
  }
}

function given(amounts: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(amounts).filter((entry): entry is [string, number] => entry[1] !== undefined)
  )
}

async function resolveProviders(
  file: ConfigurationFile,
  directory: string,
  { env, rows }: ConfigurationOptions,
  report: Report
): Promise<ProviderConfiguration[]> {
  const given = file.providers ?? chooseFromEnvironment(rows, env)
  const resolved = await Promise.all(
    Object.entries(given).map(([name, fields]) =>
      resolveProvider(name, fields, rows, { env, directory }, report)
    )
  )
  return resolved.filter((provider) => provider !== undefined)
}

function chooseFromEnvironment(
  rows: readonly ProviderRow[],
  env: ConfigurationOptions['env']
): Record<string, ProviderFields> {
  const taken = new Set<string>()
  const chosen = rows.filter((row) => {
    const { apiKeyEnv, variables = {} } = row
    if (apiKeyEnv === undefined || !env[apiKeyEnv] || taken.has(apiKeyEnv)) return false
    const isComplete = Object.values(variables).every(
      (variable) => variable.standard !== undefined || variable.env.some((name) => env[name])
    )
    if (isComplete) taken.add(apiKeyEnv)
    return isComplete
  })
  return Object.fromEntries(
    chosen.map((row) => [row.name, providerSchema.parse({}, { jitless: true })])
  )
}

/** An empty file is a mapping without fields. */
function withOverrides(value: unknown, { host, port }: ConfigurationOptions['overrides']): unknown {
  const root = value === null ? {} : value
  if (!isRecord(root) || (host === undefined && port === undefined)) return root
  const server = root['server'] ?? {}
  if (!isRecord(server)) return root
  const given = { ...(host !== undefined && { host }), ...(port !== undefined && { port }) }
  return { ...root, server: { ...server, ...given } }
}

function createReport(
  source: SourceText,
  name: string,
  overrides: ConfigurationOptions['overrides'],
  problems: Problem[]
): Report {
  const overridden = new Map<string, string>()
  if (overrides.host !== undefined) overridden.set('server.host', '--host or TOLLGATE_HOST')
  if (overrides.port !== undefined) overridden.set('server.port', '--port or TOLLGATE_PORT')
  return (path: FieldPath, details) => {
    const option = overridden.get(path.join('.'))
    const place = source.placeOf(path, details.atKey === true ? 'key' : 'value')
    problems.push(
      option === undefined
        ? toProblem(name, place, path, details)
        : toProblem(option, undefined, path, details)
    )
  }
}

/** From the top of the file to its end; what has no line comes last. */
function inOrder(problems: Problem[]): Problem[] {
  const rank = (problem: Problem) => (problem.line ?? Infinity) * 1e6 + (problem.column ?? 0)
  return problems.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)))
}
