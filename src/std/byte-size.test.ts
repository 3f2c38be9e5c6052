import { expect, test } from 'bun:test'
import { parseByteSize } from './byte-size'

test.each([
  ['0B', 0],
  ['64KB', 64_000],
  ['64KiB', 65_536],
  ['32MB', 32_000_000],
  ['1.5GB', 1_500_000_000],
  ['1GiB', 1_073_741_824],
  ['1TB', 1_000_000_000_000],
])('%s is %d bytes', (text, sizeBytes) => {
  expect(parseByteSize(text)).toBe(sizeBytes)
})

test.each(['', '32', 'MB', '32 MB', '32M', '32mb', '-1MB', '1MB\n'])('%p is no size', (text) => {
  expect(parseByteSize(text)).toBeUndefined()
})
