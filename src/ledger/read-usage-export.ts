import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import {
  createRowReader,
  detectFormat,
  type ExportFormat,
  type ExportRow,
  headingsOf,
} from './usage-export'

/** No row of any export is as long. */
const MAX_ROW_BYTES = 256 * 1_024

/** Why an export can't be read, for whoever handed it in. */
export class ExportError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ExportError'
  }
}

/**
 * Reads a provider's usage export, a CSV file with a row of headings, and hands on each row; only a piece of it is ever in
 * memory. Without a format, the headings tell it. Gives the format; throws an ExportError that names the row.
 */
export async function readUsageExport(
  path: string,
  given: ExportFormat | undefined,
  take: (row: ExportRow) => void
): Promise<ExportFormat> {
  const { parse } = await import('csv-parse')
  const parser = parse({
    bom: true,
    max_record_size: MAX_ROW_BYTES,
    relax_column_count: true,
    skip_empty_lines: true,
  })
  let format: ExportFormat | undefined
  let readRow: ((cells: readonly string[]) => ExportRow) | undefined
  let row = 0
  try {
    await pipeline(createReadStream(path), parser, async (records: AsyncIterable<unknown>) => {
      for await (const record of records) {
        const cells = toCells(record)
        row++
        if (readRow === undefined) {
          const headings = cells.map((cell) => cell.trim())
          format = chooseFormat(given, headings)
          readRow = createRowReader(format, headings)
        } else take(readRow(cells))
      }
    })
  } catch (error) {
    if (error instanceof ExportError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new ExportError(row === 0 ? `${path}: ${reason}` : `${path}, row ${row}: ${reason}`)
  }
  if (format === undefined) throw new ExportError(`${path} is empty`)
  return format
}

function chooseFormat(given: ExportFormat | undefined, headings: readonly string[]): ExportFormat {
  const format = given ?? detectFormat(headings)
  if (format === undefined)
    throw new ExportError(
      'these columns are of no export that is known; name them: --columns date=…,model=…,cost=…'
    )
  const missing = headingsOf(format).filter((heading) => !headings.includes(heading))
  if (missing.length > 0) throw new ExportError(`there is no column ${missing.join(', ')}`)
  return format
}

function toCells(record: unknown): string[] {
  return Array.isArray(record) ? record.map(String) : []
}
