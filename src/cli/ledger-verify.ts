import type { Database } from 'bun:sqlite'
import type { Command } from 'commander'
import { readCheckpoint, readCounters } from '../db/checkpoint-store'
import type { LedgerReader } from '../db/ledger-reader'
import { type CounterDifference, recount } from '../ledger/recount'
import { readCheckpointLimits } from '../limits/checkpoint-limit'
import { formatUsd } from '../pricing/format-usd'
import { CommandError, type CommandOutput, EXIT } from './command-line'
import { defaultDataDirectory, type Environment } from './data-directory'
import { dataOption, jsonOption } from './options'
import { withLedger } from './with-ledger'

type VerifyOptions = { data?: string; json?: boolean }

type Books = {
  totals: ReturnType<LedgerReader['totals']>
  /** Entries and log rows of one request that don't say the same cost. */
  differences: ReturnType<LedgerReader['differences']>
  /** How many counters the checkpoint has, and those that the entries don't bear out. */
  counters: number
  counterDifferences: readonly CounterDifference[]
}

/** Adds `ledger verify`: whether entries, log and counters agree. */
export function addVerifyCommand(
  ledger: Command,
  output: CommandOutput,
  env: Environment = process.env
): void {
  ledger
    .command('verify')
    .description('compare entries, log and counters, and say what is not settled')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((options: VerifyOptions) => {
      const books = withLedger(options.data || defaultDataDirectory(env), readBooks)
      const isRight = books.differences.length === 0 && books.counterDifferences.length === 0
      if (options.json === true) output.out(JSON.stringify(viewBooks(books, isRight)))
      else for (const line of describeBooks(books, isRight)) output.out(line)
      if (!isRight) throw new CommandError(EXIT.failed, 'the books do not agree')
    })
}

function readBooks(reader: LedgerReader, database: Database): Books {
  const checkpoint = readCheckpoint(database)
  const limits = checkpoint === undefined ? [] : readCheckpointLimits(checkpoint.limits)
  const { counters, differences } = recount({
    limits,
    counters: readAll(database, limits),
    entries: reader.behind(0),
  })
  return {
    totals: reader.totals(),
    differences: reader.differences(),
    ...{ counters, counterDifferences: differences },
  }
}

function* readAll(database: Database, limits: readonly { id: string }[]) {
  for (const { id } of limits) yield* readCounters(database, id, Date.now())
}

function viewBooks({ totals, differences, counters, counterDifferences }: Books, ok: boolean) {
  return {
    ok,
    entries: totals.entries,
    cost_nano_usd: totals.costNanoUsd,
    unknown: totals.unknown,
    unresolved: totals.unresolved,
    unsettled: totals.deferred,
    unsettled_held_nano_usd: totals.deferredNanoUsd,
    differences: differences.map(({ requestId, entryNanoUsd, rowNanoUsd }) => ({
      request_id: requestId,
      entry_nano_usd: entryNanoUsd,
      row_nano_usd: rowNanoUsd,
    })),
    counters,
    counter_differences: counterDifferences.map(({ limitId, name, counted, recounted }) => ({
      ...{ limit: limitId, name, counted, recounted },
    })),
  }
}

function describeBooks(books: Books, isRight: boolean): string[] {
  const { totals, differences, counters, counterDifferences } = books
  const { entries, costNanoUsd, unknown, unresolved, deferred, deferredNanoUsd } = totals
  return [
    `${entries} entries, ${formatUsd(costNanoUsd)} USD`,
    `${unknown} of unknown cost, ${unresolved} of requests whose process died`,
    `${deferred} to be settled later, for which ${formatUsd(deferredNanoUsd)} USD are held`,
    `${counters} counters counted again`,
    ...differences.map(({ requestId }) => `differs from the log: ${requestId}`),
    ...counterDifferences.map(
      ({ limitId, name, counted, recounted }) =>
        `differs from the entries: ${limitId} ${name}: ${counted}, not ${recounted}`
    ),
    isRight ? 'The books agree.' : 'The books do not agree.',
  ]
}
