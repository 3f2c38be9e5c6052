import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { accumulate } from '../accumulate'
import type { Answer } from '../answer'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { parseChatAnswer, parseConverseAnswer, renderChatAnswer } from './chat-answer'
import { ConverseEventReader } from './event-reader'
import { EventStreamEncoder, EventStreamFramer } from './event-stream'
import { ConverseFrameWriter } from './frame-writer'
import { ConverseFrameReader } from './frames'

const ROOT = join(import.meta.dir, '../../..')
const RECORDINGS = process.env.TOLLGATE_RECORDINGS ?? join(ROOT, '../shared/data/recordings')
const FOLDER = join(RECORDINGS, 'amazon-bedrock')
const names = existsSync(FOLDER) ? readdirSync(FOLDER).sort() : []
const wholes = names.filter((name) => name.endsWith('.json'))
const streams = names.filter((name) => name.endsWith('.chunks.txt'))

const encoder = new EventStreamEncoder()

/** On the wire an event's name stands in its header; recordings put its members inside an object of that name. */
function toBytes(name: string, isWrapped: boolean): Uint8Array {
  const lines = readFileSync(join(FOLDER, name), 'utf8').split('\n').filter(Boolean)
  return Buffer.concat(
    lines.map((line) => {
      const recorded: JsonObject = JSON.parse(line)
      const [type = ''] = Object.keys(recorded)
      return encoder.event(type, isWrapped ? recorded : (recorded[type] ?? {}))
    })
  )
}

function read(bytes: Uint8Array, size: number): { answer: Answer; rendered: Answer } {
  const framer = new EventStreamFramer()
  const reader = new ConverseEventReader()
  const follower = new ConverseFrameReader()
  const writer = new ConverseFrameWriter(new Losses())
  const events = []
  for (let at = 0; at < bytes.length; at += size)
    for (const { data = '', event } of framer.push(bytes.subarray(at, at + size))) {
      follower.read(data, event)
      events.push(...reader.read(data, event))
    }
  events.push(...reader.end())
  expect(follower.isComplete()).toBe(true)
  const written = Buffer.concat(events.map((event) => writer.write([event])))
  const again = new ConverseEventReader()
  const rendered = new EventStreamFramer()
    .push(written)
    .flatMap(({ data = '', event }) => again.read(data, event))
  const answer = accumulate(events)
  expect(follower.facts().usage).toEqual(answer.usage)
  return { answer, rendered: accumulate([...rendered, ...again.end()]) }
}

describe.skipIf(names.length === 0)('recorded answers of Bedrock', () => {
  test.each(wholes)('%s is read, and told again as it was', (name) => {
    const text = readFileSync(join(FOLDER, name), 'utf8')
    const json: JsonObject = JSON.parse(text)
    const answer = parseChatAnswer(json)
    const losses = new Losses()
    expect(JSON.stringify(renderChatAnswer(answer, losses))).toBe(JSON.stringify(json))
    expect(losses.isEmpty).toBe(true)
    expect(answer.choices[0]?.parts.some(({ type }) => type === 'native')).toBe(false)
    const facts = parseConverseAnswer(new TextEncoder().encode(text))
    expect(facts.usage).toEqual(answer.usage)
    expect(facts.finishReasons).toEqual([answer.choices[0]?.finish.native ?? ''])
  })

  test.each(streams)('%s is read however it is cut, and told again as it was', (name) => {
    const expected = read(toBytes(name, false), 100_000).answer
    expect(expected.choices[0]?.parts.length).toBeGreaterThan(0)
    expect(expected.choices[0]?.finish.reason).not.toBe('unknown')
    for (const size of [1, 7, 64])
      for (const isWrapped of [true, false]) {
        const { answer, rendered } = read(toBytes(name, isWrapped), size)
        expect(answer).toEqual(expected)
        // A call without arguments is told with an empty object, which is the same.
        expect(JSON.stringify(rendered).replaceAll('"{}"', '""')).toBe(
          JSON.stringify(expected).replaceAll('"{}"', '""')
        )
      }
  })
})
