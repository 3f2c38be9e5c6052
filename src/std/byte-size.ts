/** What a size looks like in text: a number and its unit, nothing between or around. */
export const BYTE_SIZE_PATTERN = /^(\d+(?:\.\d+)?)(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$/

const UNIT_BYTES = new Map([
  ['B', 1],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['TB', 1e12],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
])

/**
 * The whole bytes that `text` names: `32MB` is 32,000,000 and `32MiB` 33,554,432, as the units'
 * standards have it; `undefined` when it is no number with one of these units.
 */
export function parseByteSize(text: string): number | undefined {
  const match = BYTE_SIZE_PATTERN.exec(text)
  const unitBytes = UNIT_BYTES.get(match?.[2] ?? '')
  if (match === null || unitBytes === undefined) return undefined
  const sizeBytes = Math.round(Number(match[1]) * unitBytes)
  return Number.isSafeInteger(sizeBytes) ? sizeBytes : undefined
}
