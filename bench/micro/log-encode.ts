import { join } from 'node:path'
import { attemptRecord, beginRecord, endRecord } from '../../src/telemetry/fixtures/records'
import { createJournal } from '../../src/telemetry/journal'
import { writeRecord } from '../../src/telemetry/journal-codec'
import { ByteWriter } from '../../src/std/byte-writer'
import type { AttemptRecord, BeginRecord, EndRecord } from '../../src/telemetry/records'
import { createPiece, type Piece } from './piece'

type Records = [BeginRecord, AttemptRecord, EndRecord]

/** The three records of a request that went well: as bytes, and into a journal on the disk. */
export function createLogPieces(directory: string): Piece[] {
  const writer = new ByteWriter(64 << 10)
  const journal = createJournal({ directory: join(directory, 'journal') })
  return [
    createPiece({
      work: 'log encode: begin, attempt and end',
      budgetMicros: 5,
      fresh: createRecords,
      run(records) {
        writer.clear()
        for (const record of records) writeRecord(writer, record)
        return writer.length
      },
    }),
    createPiece({
      work: 'log append: the same, written to the journal',
      budgetMicros: 12,
      fresh: createRecords,
      run(records) {
        for (const record of records) journal.append(record)
        journal.flush()
      },
    }),
  ]
}

function createRecords(): Records {
  const id = Bun.randomUUIDv7()
  const durationMs = Math.random() * 1_000
  return [
    beginRecord(id),
    attemptRecord(id, { startedAfterMs: durationMs / 100, durationMs, headMs: durationMs / 2 }),
    endRecord(id, { totalMs: durationMs, gatewayMs: durationMs / 100 }),
  ]
}
