import { describe, expect, test } from 'bun:test'
import { OverlapTrimmer } from './overlap-trimmer'

/** What goes on behind `before`, of a text that comes in such pieces. */
function trim(before: string, ...pieces: string[]): string {
  const trimmer = new OverlapTrimmer(before)
  return pieces.map((piece) => trimmer.push(piece)).join('') + trimmer.flush()
}

describe('the beginning of a text that goes on', () => {
  test.each([
    ['what follows', 'The answer is ', 'forty-two.', 'forty-two.'],
    ['its last words again', 'The answer is forty', 'is forty two.', ' two.'],
    ['its last word again', 'The answer is forty', 'forty two.', ' two.'],
    ['white space that stands there', 'The answer is ', ' forty-two.', 'forty-two.'],
    ['all of it again', 'So it goes.', 'So it goes. And on.', ' And on.'],
    ['the rest of a word', 'The answer is for', 'ty-two.', 'ty-two.'],
    ['the same letter by chance', 'It was a', 'a cat', 'a cat'],
    [
      'a long end of a word',
      'Donaudampfschifffahrtsgesellschaft',
      'dampfschifffahrtsgesellschafts',
      's',
    ],
    ['nothing behind nothing', '', 'Hello', 'Hello'],
    ['the same and no more', 'So it goes.', 'So it goes.', ''],
  ])('that says %s', (_, before, text, expected) => {
    expect(trim(before, text)).toBe(expected)
    expect(trim(before, ...text)).toBe(expected)
  })

  test('is passed on as soon as it can no longer be a repetition', () => {
    const trimmer = new OverlapTrimmer('one two three')
    expect(trimmer.push('two')).toBe('')
    expect(trimmer.push(' of')).toBe('two of')
    expect(trimmer.push(' three')).toBe(' three')
  })
})
