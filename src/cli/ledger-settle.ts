import { type Command, Option } from 'commander'
import { findHeld } from '../db/deferred-holds'
import { createCorrectionWriter, type RequestTruth } from '../db/ledger-corrections'
import { formatUsd } from '../pricing/format-usd'
import { CommandError, type CommandOutput, EXIT } from './command-line'
import { defaultDataDirectory, type Environment } from './data-directory'
import { COUNTS_WITHIN_SECONDS, toNanoUsd, toTokens } from './ledger-correct'
import { dataOption, jsonOption } from './options'
import { withLedgerToWrite } from './with-ledger'

type SettleOptions = {
  data?: string
  json?: boolean
  cost: number
  inputTokens?: number
  outputTokens?: number
  reason: string
}

/** Adds `ledger settle|release`: what is held for work whose usage nobody will tell any more. */
export function addSettleCommands(
  ledger: Command,
  output: CommandOutput,
  env: Environment = process.env
): void {
  const settle = (id: string, options: Omit<SettleOptions, 'cost'>, costNanoUsd: number) => {
    const { inputTokens, outputTokens, reason } = options
    const dataDirectory = options.data || defaultDataDirectory(env)
    const requestId = settleHeld(dataDirectory, id, {
      ...{ costNanoUsd, inputTokens, outputTokens, reason },
    })
    if (options.json === true)
      output.out(JSON.stringify({ request: requestId, cost_nano_usd: costNanoUsd }))
    else {
      output.out(`${requestId} came to ${formatUsd(costNanoUsd)} USD: nothing more is held for it.`)
      output.out(COUNTS_WITHIN_SECONDS)
    }
  }
  ledger
    .command('settle')
    .description('say what a request came to whose cost was to come later')
    .argument('<id>', "the request's id, or what the provider calls the work")
    .addOption(new Option('--cost <usd>', 'all of it').argParser(toNanoUsd).makeOptionMandatory())
    .addOption(new Option('--input-tokens <count>', 'all of them').argParser(toTokens))
    .addOption(new Option('--output-tokens <count>', 'all of them').argParser(toTokens))
    .option('--reason <text>', 'kept with the entry', 'settled by hand')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((id: string, options: SettleOptions) => settle(id, options, options.cost))
  ledger
    .command('release')
    .description('say that such a request cost nothing')
    .argument('<id>', "the request's id, or what the provider calls the work")
    .option('--reason <text>', 'kept with the entry', 'released by hand')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((id: string, options: Omit<SettleOptions, 'cost'>) => settle(id, options, 0))
}

/** Gives the request's id. */
function settleHeld(
  dataDirectory: string,
  id: string,
  truth: Omit<RequestTruth, 'requestId'>
): string {
  return withLedgerToWrite(dataDirectory, (database) => {
    const [requestId, ...others] = findHeld(database, id)
    if (requestId === undefined)
      throw new CommandError(
        EXIT.notFound,
        `nothing is held for ${id}; 'tollgate ledger entries --unsettled' lists what is, and 'tollgate ledger correct' changes what is settled`
      )
    if (others.length > 0)
      throw new CommandError(
        EXIT.usage,
        `several requests are called ${id}; name one by its id: ${[requestId, ...others].join(', ')}`
      )
    createCorrectionWriter(database).correct({ ...truth, requestId })
    return requestId
  })
}
