import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { accumulate } from '../accumulate'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { cohereChat } from './cohere'
import { CONTEXT, readStream, wire } from './fixtures/cohere'

/** Cohere's own answers, where they lie: TOLLGATE_RECORDINGS, or beside the project. */
const FOLDER = join(
  process.env['TOLLGATE_RECORDINGS'] ?? join(import.meta.dir, '../../../../shared/data/recordings'),
  'cohere'
)

const names = existsSync(FOLDER) ? readdirSync(FOLDER).sort() : []
const wholes = names.filter((name) => name.endsWith('.json'))
const streams = names.filter((name) => name.endsWith('.chunks.txt'))

const textOf = (name: string) => readFileSync(join(FOLDER, name), 'utf8')

function linesOf(name: string): JsonObject[] {
  return textOf(name)
    .split('\n')
    .filter(Boolean)
    .map((line): JsonObject => JSON.parse(line))
}

describe.skipIf(wholes.length === 0)('a recorded answer', () => {
  test.each(wholes)('%s is read, and comes back as it was', (name) => {
    const json: JsonObject = JSON.parse(textOf(name))
    const answer = cohereChat.chat.parseChatAnswer(json)
    const [choice] = answer.choices
    expect(choice?.finish.reason).toBe(name.includes('max-tokens') ? 'length' : 'stop')
    expect(choice?.parts).toHaveLength(1)
    expect(answer.usage?.inputTokens).toBeLessThan(50)
    const told = cohereChat.chat.renderChatAnswer(answer, CONTEXT, new Losses())
    expect(JSON.stringify(told)).toBe(JSON.stringify(json))
    const { usage, finishReasons } = cohereChat.upstream.parseAnswer(Buffer.from(textOf(name)))
    expect(usage).toEqual(answer.usage)
    expect(finishReasons).toEqual([String(json.finish_reason)])
  })

  test.skipIf(!wholes.includes('cohere-citations.json'))('cites its documents', () => {
    const json: JsonObject = JSON.parse(textOf('cohere-citations.json'))
    const [part] = cohereChat.chat.parseChatAnswer(json).choices[0]?.parts ?? []
    if (part?.type !== 'text') throw new Error('no text')
    const cited = part.citations?.map(({ startIndex, endIndex, title, documentIndex }) => [
      part.text.slice(startIndex, endIndex),
      title,
      documentIndex,
    ])
    expect(cited).toEqual([
      ['Automation of tasks', 'benefits.txt', 0],
      ['Better decision-making', 'benefits.txt', 0],
      ['Cost reduction', 'benefits.txt', 0],
    ])
  })
})

describe.skipIf(streams.length === 0)('a recorded stream', () => {
  test.each(streams)('%s is read however it is cut', (name) => {
    const bytes = wire(linesOf(name))
    const events = readStream(bytes)
    for (const size of [1, 7, 64]) expect(readStream(bytes, size)).toEqual(events)
    const answer = accumulate(events)
    expect(answer.choices[0]).toMatchObject({
      parts: [{ type: 'text', text: 'The capital of France is Paris.' }],
      finish: { reason: 'stop', native: 'COMPLETE' },
    })
    expect(answer.usage).toMatchObject({ inputTokens: 12, outputTokens: 7 })
  })
})
