import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import type { RequestRow } from '../db/log-schema'
import { viewRequest } from '../telemetry/request-view'
import type { CommandOutput } from './command-line'
import { defaultDataDirectory } from './data-directory'
import type { Environment } from './data-directory'
import { LOG_HEADINGS, layOutRequest } from './log-line'
import { openLog } from './open-log'
import { dataOption, jsonOption } from './options'

type TailOptions = { data?: string; json?: boolean; limit: number; follow: boolean }

const POLL_MS = 250
const PAGE_ROWS = 500

/** Adds `logs tail`, which reads what a gateway writes without being in its way. */
export function addLogsCommands(
  program: Command,
  output: CommandOutput,
  env: Environment = process.env
): void {
  program
    .command('logs')
    .description('read the request log')
    .command('tail')
    .description('print the newest requests, then those that follow, until Ctrl-C')
    .addOption(dataOption())
    .option('--limit <rows>', 'how many of the newest', parseLimit, 20)
    .option('--no-follow', 'end after the newest')
    .addOption(jsonOption())
    .action((options: TailOptions) =>
      tail(options.data || defaultDataDirectory(env), options, output)
    )
}

async function tail(
  dataDirectory: string,
  { json = false, limit, follow }: TailOptions,
  output: CommandOutput
): Promise<void> {
  const { reader, close } = openLog(dataDirectory)
  const print = (row: RequestRow) =>
    output.out(json ? JSON.stringify(viewRequest(row)) : layOutRequest(row))
  try {
    // Those after the newest that is there now, even when none of them is asked for.
    let last = reader.newest(1)[0]?.sequence ?? 0
    if (!json) output.out(LOG_HEADINGS)
    for (const row of reader.newest(limit)) {
      print(row)
      last = Math.max(last, row.sequence)
    }
    if (!follow) return
    for (;;) {
      const rows = reader.after(last, PAGE_ROWS)
      for (const row of rows) print(row)
      last = rows.at(-1)?.sequence ?? last
      if (rows.length < PAGE_ROWS) await Bun.sleep(POLL_MS)
    }
  } finally {
    close()
  }
}

function parseLimit(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is a number of rows, from 0 to 999999.')
}
