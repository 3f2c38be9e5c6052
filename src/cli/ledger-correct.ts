import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Correction, createCorrectionWriter } from '../db/ledger-corrections'
import { formatUsd, parseUsdToNano } from '../pricing/format-usd'
import { CommandError, type CommandOutput, EXIT } from './command-line'
import { defaultDataDirectory, type Environment } from './data-directory'
import { dataOption, jsonOption } from './options'
import { withLedgerToWrite } from './with-ledger'

type CorrectOptions = {
  data?: string
  json?: boolean
  cost: number
  inputTokens?: number
  outputTokens?: number
  reason: string
}

/** A running gateway looks for what others have written. */
export const COUNTS_WITHIN_SECONDS =
  'Reports have it from now on; the budgets of a running gateway within seconds.'

/** Adds `ledger correct`: what a request really came to, as an entry that makes up the difference. */
export function addCorrectCommand(
  ledger: Command,
  output: CommandOutput,
  env: Environment = process.env
): void {
  ledger
    .command('correct')
    .description('say what a request really came to; nothing is edited, the difference is added')
    .argument('<request>', 'the x-request-id of its answer')
    .addOption(new Option('--cost <usd>', 'all of it').argParser(toNanoUsd).makeOptionMandatory())
    .addOption(new Option('--input-tokens <count>', 'all of them').argParser(toTokens))
    .addOption(new Option('--output-tokens <count>', 'all of them').argParser(toTokens))
    .requiredOption('--reason <text>', 'kept with the entry')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((requestId: string, options: CorrectOptions) => {
      const { cost: costNanoUsd, inputTokens, outputTokens, reason } = options
      const correction = withLedgerToWrite(options.data || defaultDataDirectory(env), (database) =>
        createCorrectionWriter(database).correct({
          ...{ requestId, costNanoUsd, inputTokens, outputTokens, reason },
        })
      )
      if (correction.kind === 'unknown-request')
        throw new CommandError(EXIT.notFound, `the ledger has no request ${requestId}`)
      if (options.json === true) output.out(JSON.stringify(toView(requestId, correction)))
      else for (const line of describe(correction, costNanoUsd)) output.out(line)
    })
}

type Known = Exclude<Correction, { kind: 'unknown-request' }>

function describe(correction: Known, costNanoUsd: number): string[] {
  if (correction.kind === 'unchanged') return ['The ledger says the same already.']
  const { before, difference } = correction
  const was = before.costNanoUsd === null ? 'unknown' : `${formatUsd(before.costNanoUsd)} USD`
  const added = formatUsd(difference.costNanoUsd)
  return [
    `Was ${was}, is ${formatUsd(costNanoUsd)} USD: an entry of ${added} USD was added.`,
    COUNTS_WITHIN_SECONDS,
  ]
}

function toView(request: string, correction: Known) {
  const { before } = correction
  const difference = correction.kind === 'corrected' ? correction.difference : undefined
  return {
    ...{ request, corrected: difference !== undefined },
    before: {
      cost_nano_usd: before.costNanoUsd,
      input_tokens: before.inputTokens,
      output_tokens: before.outputTokens,
    },
    difference: {
      cost_nano_usd: difference?.costNanoUsd ?? 0,
      input_tokens: difference?.inputTokens ?? 0,
      output_tokens: difference?.outputTokens ?? 0,
    },
  }
}

/** Reads USD of an option. */
export function toNanoUsd(text: string): number {
  const costNanoUsd = parseUsdToNano(text)
  if (costNanoUsd !== undefined) return costNanoUsd
  throw new InvalidArgumentError('write USD such as 0.0125')
}

/** Reads tokens of an option. */
export function toTokens(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('write a whole number')
}
