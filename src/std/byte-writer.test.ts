import { expect, test } from 'bun:test'
import { ByteWriter } from './byte-writer'

const said = ({ bytes, length }: ByteWriter) => bytes.toString('utf8', 0, length)

/** What one call writes, into memory that is too small at first. */
function write(act: (writer: ByteWriter) => void): string {
  const writer = new ByteWriter(1)
  writer.ascii('<')
  act(writer)
  writer.ascii('>')
  return said(writer).slice(1, -1)
}

test('numbers are written as JSON has them', () => {
  const edges = [0, 1, 9, 10, 99, 100, 999_999, 1_000_000, 1_000_001, 1_732_230_000_123]
  const largest = [999_999_999_999_999, 1e15, Number.MAX_SAFE_INTEGER, 1e21, Number.MAX_VALUE]
  const others = [-1, -0, 0.5, 1e-7, -1_732_230_000_123.5]
  for (const number of [...edges, ...largest, ...others])
    expect(write((to) => to.number(number))).toBe(String(number))
  for (let round = 0; round < 5_000; round++) {
    const number = Math.floor(Math.random() * 10 ** Math.floor(Math.random() * 17))
    expect(write((to) => to.number(number))).toBe(String(number))
  }
})

test.each([
  '',
  'plain',
  'a "quote" \\ and\nline',
  'ü🎉\u2028',
  '\ud800',
  'x'.repeat(500),
  'ü'.repeat(96),
])('the text %j is written as JSON has it, and as it is', (text) => {
  expect(write((to) => to.json(text))).toBe(JSON.stringify(text))
  expect(write((to) => to.text(text))).toBe(text.toWellFormed())
})

test('what is taken back, and what was cleared, is gone', () => {
  const writer = new ByteWriter(4)
  writer.ascii('kept')
  const { length } = writer
  writer.text('not this')
  writer.cutTo(length)
  writer.ascii('!')
  expect(said(writer)).toBe('kept!')
  writer.clear()
  expect([said(writer), writer.bytes.length]).toEqual(['', 4])
})
