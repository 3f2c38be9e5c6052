import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { accumulate } from '../accumulate'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { CONTEXT } from './fixtures/generation'
import { chunksOf, normal, readStream, writeStream } from './fixtures/stream'
import { gemini } from './gemini'

const FOLDER =
  process.env.TOLLGATE_RECORDINGS ?? join(import.meta.dir, '../../../../shared/data/recordings')

const NAMES = existsSync(FOLDER) ? readdirSync(FOLDER, { recursive: true }).map(String).sort() : []

const textOf = (name: string) => readFileSync(join(FOLDER, name), 'utf8')
const linesOf = (name: string) => textOf(name).trim().split('\n')

// The Live and the Interactions API are recorded beside this one.
const WHOLE = NAMES.filter((name) => name.endsWith('.json') && /"candidates"/.test(textOf(name)))
const STREAMS = NAMES.filter(
  (name) => name.endsWith('.chunks.txt') && textOf(name).startsWith('{"candidates"')
)

describe.skipIf(WHOLE.length === 0)('a recorded answer', () => {
  test.each(WHOLE)('%s is read, and written as it came', (name) => {
    const json: JsonObject = JSON.parse(textOf(name))
    const answer = gemini.chat.parseChatAnswer(json)
    expect(answer.choices[0]?.parts.length).toBeGreaterThan(0)
    expect(answer.usage?.outputTokens).toBeGreaterThan(0)
    const losses = new Losses()
    const same = gemini.chat.renderChatAnswer(answer, CONTEXT, losses)
    expect(JSON.stringify(same)).toBe(JSON.stringify(json))
    expect(losses.isEmpty).toBe(true)
  })
})

describe.skipIf(STREAMS.length === 0)('a recorded stream', () => {
  const cases = STREAMS.flatMap((name) => [1, 7, 64].map((size): [string, number] => [name, size]))

  test.each(cases)('%s, cut at %i bytes, is whole', (name, pieceBytes) => {
    const answer = accumulate(readStream(linesOf(name), pieceBytes))
    const [choice] = answer.choices
    expect(choice?.parts.length).toBeGreaterThan(0)
    expect(choice?.finish.native).toBe('STOP')
    const hasCall = choice?.parts.some(({ type }) => type === 'tool_call')
    expect(choice?.finish.reason).toBe(hasCall ? 'tool_calls' : 'stop')
    expect(answer.usage?.outputTokens).toBeGreaterThan(0)
    for (const part of choice?.parts ?? [])
      if (part.type === 'tool_call') expect(() => JSON.parse(part.arguments)).not.toThrow()
  })

  test.each(STREAMS)('%s is written again as it was read', (name) => {
    const events = readStream(linesOf(name))
    const { text, lost } = writeStream(events)
    expect(lost).toEqual([])
    expect(normal(readStream(chunksOf(text)))).toEqual(normal(events))
  })
})
