import { closeSync, openSync, readSync } from 'node:fs'
import type { JournalPosition } from '../db/log-writer'
import { listSegments, segmentPath } from './journal-files'

export type JournalChunk =
  /** Whole lines without the end of the last, and where the first of them stands. */
  | { kind: 'lines'; text: string; from: JournalPosition }
  /** What a dead writer left of a line at the end of a segment. */
  | { kind: 'torn'; sizeBytes: number; from: JournalPosition }
  /** Nothing more is written. */
  | { kind: 'end' }

export type JournalReader = {
  /** The next lines, about `chunkBytes` of them, or one line that is longer. */
  read(): JournalChunk
  /** Where the next read starts. */
  position(): JournalPosition
  close(): void
}

export type JournalReaderOptions = {
  directory: string
  /** Where to start; the oldest segment when undefined. */
  position: JournalPosition | undefined
  chunkBytes?: number
}

const NEWLINE = 10

/**
 * Reads the journal's segments one after the other while another thread writes them. A segment is
 * finished once a later one exists, and the end of an unfinished one is waited for, not judged.
 */
export function createJournalReader(options: JournalReaderOptions): JournalReader {
  const { directory, chunkBytes = 512 << 10 } = options
  let { segment, offsetBytes } = options.position ?? { segment: 0, offsetBytes: 0 }
  let buffer = Buffer.allocUnsafe(chunkBytes)
  let file: number | undefined
  let finished = false

  function read(): JournalChunk {
    for (;;) {
      file ??= openNext()
      if (file === undefined) return { kind: 'end' }
      const size = readSync(file, buffer, 0, buffer.length, offsetBytes)
      const last = buffer.subarray(0, size).lastIndexOf(NEWLINE)
      const from = { segment, offsetBytes }
      if (last !== -1) {
        offsetBytes += last + 1
        return { kind: 'lines', text: buffer.toString('utf8', 0, last), from }
      }
      if (size === buffer.length) {
        const larger = Buffer.allocUnsafe(buffer.length * 2)
        buffer = larger
      } else if (!finished) {
        // Looked up after the read, so read once more: the writer may have finished between.
        finished = listSegments(directory).some((other) => other > segment)
        if (!finished) return { kind: 'end' }
      } else {
        offsetBytes += size
        closeFile()
        if (size > 0) return { kind: 'torn', sizeBytes: size, from }
      }
    }
  }

  /** Opens the segment that reading goes on in: the same one at first, else the next. */
  function openNext(): number | undefined {
    const next = listSegments(directory).find((other) =>
      finished ? other > segment : other >= segment
    )
    if (next === undefined) return undefined
    if (next !== segment) offsetBytes = 0
    segment = next
    finished = false
    return openSync(segmentPath(directory, segment), 'r')
  }

  function closeFile(): void {
    if (file !== undefined) closeSync(file)
    file = undefined
  }

  return { read, position: () => ({ segment, offsetBytes }), close: closeFile }
}
