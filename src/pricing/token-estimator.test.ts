import { afterEach, describe, expect, test } from 'bun:test'
import { countTokens, MAX_COUNTED_CHARACTERS } from './count-tokens'
import { loadVocabulary } from './vocabulary'
import { createTokenEstimator, type TokenEstimator } from './token-estimator'

const count = loadVocabulary()
let estimator: TokenEstimator | undefined
afterEach(() => estimator?.close())

describe('tokens that nobody counted', () => {
  test.each([
    ['', 0],
    ['Hello, world!', 4],
    ['The quick brown fox jumps over the lazy dog.', 10],
    ['<|endoftext|>', 7],
  ])('of %p are %p', (text, tokens) => {
    expect(countTokens(text, count)).toBe(tokens)
  })

  test('are counted on a thread of their own', async () => {
    estimator = createTokenEstimator()
    const [hello, nothing] = await estimator.count(['Hello, world!', ''])
    expect(hello).toBe(4)
    expect(nothing).toBe(0)
  })

  test('of one long run are counted like any, and of a huge text by its beginning', () => {
    const run = countTokens('a'.repeat(20_000), count)
    expect(run).toBeGreaterThan(1_000)
    expect(run).toBeLessThan(20_000)
    const page = 'The quick brown fox jumps over the lazy dog. '
    const pages = Math.ceil((2 * MAX_COUNTED_CHARACTERS) / page.length)
    const counted = countTokens(page.repeat(pages), count)
    expect(counted / pages).toBeGreaterThan(9)
    expect(counted / pages).toBeLessThan(12)
  })

  test('are told by size when the thread is gone', async () => {
    estimator = createTokenEstimator()
    const counting = estimator.count(['12345678'])
    estimator.close()
    expect(await counting).toEqual([2])
    expect(await estimator.count(['Hello, world!'])).toEqual([4])
  })
})
