import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { JournalPosition } from '../db/log-writer'

const SEGMENT = /^(\d{8,})\.log$/

/** Where the journal's segment of that number lies. */
export function segmentPath(directory: string, segment: number): string {
  return join(directory, `${String(segment).padStart(8, '0')}.log`)
}

/** The numbers of the segments in `directory`, ascending. */
export function listSegments(directory: string): number[] {
  const segments: number[] = []
  for (const name of readdirSync(directory)) {
    const digits = SEGMENT.exec(name)?.[1]
    if (digits !== undefined) segments.push(Number(digits))
  }
  return segments.sort((a, b) => a - b)
}

/** Where the journal in `directory` ends now. */
export function endOfJournal(directory: string): JournalPosition {
  const segment = listSegments(directory).at(-1)
  if (segment === undefined) return { segment: 0, offsetBytes: 0 }
  return { segment, offsetBytes: statSync(segmentPath(directory, segment)).size }
}

/** Bytes in the segments of `directory` from `from` on, less what comes before it. */
export function bytesAfter(directory: string, from: JournalPosition): number {
  let bytes = 0
  for (const segment of listSegments(directory)) {
    if (segment < from.segment) continue
    bytes += statSync(segmentPath(directory, segment)).size
    if (segment === from.segment) bytes -= from.offsetBytes
  }
  return Math.max(0, bytes)
}
