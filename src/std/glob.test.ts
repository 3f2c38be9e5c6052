import { expect, test } from 'bun:test'
import { matchesGlob } from './glob'

test.each([
  ['openai/*', 'openai/gpt-4o', true],
  ['openai/*', 'openai/', true],
  ['openai/*', 'openai', false],
  ['openai/*', 'azure/openai/gpt-4o', false],
  ['openrouter/*', 'openrouter/meta/llama-3', true],
  ['*/gpt-4o', 'a/b/gpt-4o', true],
  ['*mini*', 'openai/gpt-4o-mini-2024', true],
  ['OpenAI/*', 'openai/gpt-4o', false],
  ['a?c', 'a/c', true],
  ['a?c', 'ac', false],
  ['?', '😀', true],
  ['??', '😀', false],
  ['*??', '😀', false],
  ['a.c', 'abc', false],
  ['[ab]', 'a', false],
  ['', '', true],
  ['', 'a', false],
  ['**', '', true],
])('%p against %p: %p', (glob, text, matches) => {
  expect(matchesGlob(glob, text)).toBe(matches)
})

test('agrees with a naive matcher on every short glob and text', () => {
  const texts = words(['a', 'b', '/'], 5)
  for (const glob of words(['a', 'b', '*', '?'], 5)) {
    for (const text of texts) {
      if (matchesGlob(glob, text) !== matchesNaively(glob, text)) {
        throw new Error(`${glob} against ${text} should be ${matchesNaively(glob, text)}`)
      }
    }
  }
})

test('a glob made to be slow is not', () => {
  // Taking back every star would need some 10^40 steps here: the test would never end.
  expect(matchesGlob(`${'*a'.repeat(40)}b`, 'a'.repeat(4_000))).toBe(false)
})

/** Every word over the letters, up to a length. */
function words(letters: readonly string[], maxLength: number): string[] {
  const all = ['']
  for (const word of all) {
    if (word.length < maxLength) all.push(...letters.map((letter) => word + letter))
  }
  return all
}

/** The definition itself, exponential and plain. */
function matchesNaively(glob: string, text: string): boolean {
  if (glob === '') return text === ''
  const rest = glob.slice(1)
  if (glob[0] === '*') {
    return matchesNaively(rest, text) || (text !== '' && matchesNaively(glob, text.slice(1)))
  }
  return (
    text !== '' && (glob[0] === '?' || glob[0] === text[0]) && matchesNaively(rest, text.slice(1))
  )
}
