import { expect, test } from 'bun:test'
import { countTokens, splitTokens } from './tokens'

test.each([
  '',
  '   ',
  'one two',
  ' incomprehensibilities, all of them.\n',
  '👩‍🚀👩‍🚀👩‍🚀👩‍🚀 x',
  'a👍👍👍👍👍',
])('the pieces of %j are well-formed, join to the text and are counted', (text) => {
  const pieces = splitTokens(text)
  expect(pieces.join('')).toBe(text)
  expect(pieces.every((piece) => piece.isWellFormed())).toBe(true)
  expect(countTokens(text)).toBe(pieces.length)
})

test('a word is a token, with the white space before it', () => {
  expect(splitTokens('to be, or not')).toEqual(['to', ' be,', ' or', ' not'])
})
