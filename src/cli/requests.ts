import type { Command } from 'commander'
import { viewBodies, viewRequest } from '../telemetry/request-view'
import type { BodiesView, RequestView } from '../telemetry/request-view'
import { UNIT_KINDS } from '../pricing/cost'
import { formatUsd } from '../pricing/format-usd'
import { CommandError, EXIT } from './command-line'
import type { CommandOutput } from './command-line'
import { defaultDataDirectory } from './data-directory'
import type { Environment } from './data-directory'
import { openLog } from './open-log'
import { dataOption, jsonOption } from './options'

type ShowOptions = { data?: string; json?: boolean }

/** Adds `requests show`: all that the log has about one request. */
export function addRequestsCommands(
  program: Command,
  output: CommandOutput,
  env: Environment = process.env
): void {
  program
    .command('requests')
    .description('look at single requests')
    .command('show')
    .description('print all that is known of a request')
    .argument('<id>', 'the x-request-id of its answer')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((id: string, options: ShowOptions) => {
      const { request, bodies } = findRequest(options.data || defaultDataDirectory(env), id)
      if (options.json === true) output.out(JSON.stringify({ ...request, bodies }))
      else for (const line of layOut(request, bodies)) output.out(line)
    })
}

function findRequest(
  dataDirectory: string,
  id: string
): { request: RequestView; bodies: BodiesView | null } {
  const { reader, close } = openLog(dataDirectory)
  try {
    const row = reader.find(id)
    if (row === undefined) throw new CommandError(EXIT.notFound, `the log has no request ${id}`)
    const bodies = reader.findBodies(id)
    return { request: viewRequest(row), bodies: bodies === undefined ? null : viewBodies(bodies) }
  } finally {
    close()
  }
}

/** What is known, a line each; what is not is left out. */
function layOut(request: RequestView, bodies: BodiesView | null): string[] {
  const { attempts, cost_detail: cost, usage_detail: usage, route, ...facts } = request
  const lines = [
    ...layOutFacts({ ...facts, ...usage }, ''),
    ...layOutCost(request.cost_nano_usd, cost),
    ...layOutRoute(route),
  ]
  for (const { number, ...attempt } of attempts) {
    lines.push('', `attempt ${number}`, ...layOutFacts(attempt, '  '))
  }
  if (bodies !== null) {
    const { request: sent, answer } = bodies
    lines.push('', `request body${truncation(bodies.request_truncated)}`, printable(sent))
    lines.push('', `answer body${truncation(bodies.answer_truncated)}`, printable(answer))
  }
  return lines
}

/** How targets were chosen, and why those that were not asked were not. */
function layOutRoute(route: RequestView['route']): string[] {
  if (route === null) return []
  const lines = [
    ...route.candidates.map(({ model, reason }, at) => `  ${at + 1}. ${model}: ${reason}`),
    ...route.excluded.map(({ model, reason }) => `  left out ${model}: ${reason}`),
    ...route.passed.map(({ model, reason }) => `  passed by ${model}: ${reason}`),
    ...route.notes.map((note) => `  ${note}`),
  ]
  return ['', `route ${route.path.join(' > ')}`, ...lines].map(printable)
}

/** The bill: each kind's quantity, rate and cost. */
function layOutCost(costNanoUsd: number | null, cost: RequestView['cost_detail']): string[] {
  if (cost === null) return []
  const { lines, ...facts } = cost
  const total = costNanoUsd === null ? 'unknown' : `${formatUsd(costNanoUsd)} USD`
  const bill = lines.map(
    ({ kind, quantity, rate, cost_nano_usd: part }) =>
      `  ${kind.padEnd(20)}${String(quantity).padStart(10)} x ${describeRate(kind, rate)} = ${formatUsd(part)} USD`
  )
  return ['', `cost ${total}`, ...layOutFacts(facts, '  '), ...bill]
}

/** Rates are micro-USD a million tokens; units of other kinds cost nano-USD each. */
function describeRate(kind: string, rate: number): string {
  const isUnit = UNIT_KINDS.some((unit) => unit === kind)
  return isUnit ? `${formatUsd(rate)} USD` : `${formatUsd(rate * 1_000)} USD/M`
}

function layOutFacts(facts: Record<string, unknown>, indent: string): string[] {
  return Object.entries(facts)
    .filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${indent}${name.padEnd(22)}${describe(value)}`)
}

function describe(value: unknown): string {
  return printable(Array.isArray(value) ? value.join(', ') : String(value))
}

/** What callers and providers choose must not move the cursor of whoever reads it. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '?')
}

function truncation(isTruncated: boolean): string {
  return isTruncated ? ' (its beginning)' : ''
}
