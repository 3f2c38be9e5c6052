import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { accumulate } from '../accumulate'
import type { Answer } from '../answer'
import type { Part } from '../generation'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { finalResponse, read, toContext, toSse, write } from './fixtures/streams'
import { ResponseFrameReader } from './frames'
import { openaiResponses } from './responses'

const FOLDER =
  process.env.TOLLGATE_RECORDINGS ?? join(import.meta.dir, '../../../../shared/data/recordings')

const NAMES = existsSync(FOLDER) ? readdirSync(FOLDER, { recursive: true }).map(String).sort() : []

const { chat } = openaiResponses

const textOf = (name: string) => readFileSync(join(FOLDER, name), 'utf8')

const WHOLE = NAMES.filter(
  (name) => name.endsWith('.json') && /"object":\s*"response"/.test(textOf(name))
)
const STREAMS = NAMES.filter(
  (name) => name.endsWith('.chunks.txt') && /"type":\s*"response\.created"/.test(textOf(name))
)
const GOOD = STREAMS.filter((name) => !/"type":\s*"error"/.test(textOf(name)))

const linesOf = (name: string) =>
  textOf(name)
    .split('\n')
    .filter((line) => line.trim() !== '')

/** What an answer says, without where it was read from and without ids of items. */
function said({ choices, usage }: Answer) {
  const strip = (part: Part): unknown => ({
    ...part,
    source: undefined,
    ...(part.type === 'reasoning' && { id: undefined }),
    ...(part.type === 'text' && { citations: part.citations ?? [] }),
  })
  return { usage, choices: choices.map(({ parts, ...choice }) => [choice, parts.map(strip)]) }
}

/** Whoever recorded some of the streams has left deltas out. */
function hasAllDeltas(lines: readonly string[]): boolean {
  let told = ''
  let isWhole = true
  for (const line of lines) {
    const event: { type: string; delta?: string; text?: string } = JSON.parse(line)
    if (event.type === 'response.output_text.delta') told += event.delta
    if (event.type !== 'response.output_text.done') continue
    if (!event.text?.startsWith(told)) isWhole = false
    told = ''
  }
  return isWhole
}

describe('whole recordings', () => {
  test.each(WHOLE)('%s is rendered as it came', (name) => {
    const json: JsonObject = JSON.parse(textOf(name))
    const losses = new Losses()
    const rendered = chat.renderChatAnswer(chat.parseChatAnswer(json), toContext(), losses)
    expect(JSON.stringify(rendered)).toBe(JSON.stringify(json))
    expect(losses.list).toEqual([])
  })
})

const UNCUT = GOOD.filter((name) => hasAllDeltas(linesOf(name)))

describe('streamed recordings', () => {
  test.each(UNCUT)('%s says the same in pieces as in whole', (name) => {
    const lines = linesOf(name)
    const last: { response: JsonObject } = JSON.parse(lines.at(-1) ?? '')
    const whole = chat.parseChatAnswer(last.response)
    for (const size of [1, 7, 64]) {
      const events = read(toSse(lines), size)
      expect(said(accumulate(events))).toEqual(said(whole))
    }
  })

  test.each(GOOD)('%s is complete for the relay', (name) => {
    const reader = new ResponseFrameReader()
    const meanings = linesOf(name).map((line) => reader.read(line))
    expect(meanings.at(-1)).toBe('done')
    expect(meanings.slice(0, 2)).toEqual(['preamble', 'preamble'])
    expect(reader.isComplete()).toBe(true)
    expect(reader.facts().usage?.outputTokens).toBeNumber()
    expect(reader.facts().finishReasons).toEqual(['completed'])
  })

  test.each(GOOD)('%s, written again, is what the SDK comes to', async (name) => {
    const events = read(toSse(linesOf(name)), 4096)
    const rendered = chat.renderChatAnswer(accumulate(events), toContext(), new Losses())
    expect(await finalResponse(write(events))).toEqual(rendered)
  })
})
