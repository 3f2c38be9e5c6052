import { expect, test } from 'bun:test'
import { z } from 'zod'
import { createProgramLog } from './program-log'
import type { ProgramLogFormat, ProgramLogLevel } from './program-log'

function openLog(level: ProgramLogLevel, format: ProgramLogFormat) {
  const lines: string[] = []
  return { lines, log: createProgramLog({ level, format, write: (line) => void lines.push(line) }) }
}

const entrySchema = z.looseObject({
  time: z.iso.datetime(),
  level: z.string(),
  message: z.string(),
})

test('an entry is one line of JSON with its fields, whatever they hold', () => {
  const { lines, log } = openLog('info', 'json')
  log.warn('slow', { provider: 'a\nb', status: 503, absent: undefined, error: new Error('why') })
  expect(lines).toHaveLength(1)
  expect(lines[0]).not.toContain('\n')
  const entry = entrySchema.parse(JSON.parse(lines[0] ?? ''))
  expect(entry).toMatchObject({ level: 'warn', message: 'slow', provider: 'a\nb', status: 503 })
  expect(entry).not.toHaveProperty('absent')
  expect(String(entry.error)).toContain('why')
})

test('a field can not pass for the level or the message', () => {
  const { lines, log } = openLog('info', 'json')
  log.error('true', { level: 'debug', message: 'false' })
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'error', message: 'true' })
})

test('what is below the level is not written', () => {
  const { lines, log } = openLog('warn', 'text')
  log.debug('a')
  log.info('b')
  log.warn('c')
  log.error('d')
  expect(lines.map((line) => line.at(-1))).toEqual(['c', 'd'])
})

test('text is one line as well', () => {
  const { lines, log } = openLog('debug', 'text')
  log.debug('started', { address: '127.0.0.1:8080', note: 'two\nlines' })
  expect(lines[0]).toEndWith('DEBUG started address=127.0.0.1:8080 note="two\\nlines"')
})

test.each(['json', 'text'] as const)('secrets are masked in %s', (format) => {
  const { lines, log } = openLog('info', format)
  log.info('refused', { header: 'Bearer 0123456789abcdefghij', key: 'sk-tg-0123456789abcdefghij' })
  expect(lines[0]).toContain('***')
  expect(lines[0]).not.toContain('0123456789')
})
