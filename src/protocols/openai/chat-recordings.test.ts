import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isRecord } from '../../std/record'
import { SseFramer } from '../../std/sse'
import { accumulate } from '../accumulate'
import { Losses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { openaiChatHalves } from './chat-halves'
import { bare, contextOf } from './fixtures/chat'

const { createEventReader, createFrameWriter, parseChatAnswer, renderChatAnswer } = openaiChatHalves

// Answers as real providers sent them, where a checkout has them beside it.
const RECORDINGS =
  process.env.TOLLGATE_RECORDINGS ?? join(import.meta.dir, '../../../../shared/data/recordings')
const names = existsSync(RECORDINGS)
  ? [...new Bun.Glob('*/*').scanSync(RECORDINGS)].sort().filter(isChat)
  : []
const streams = names.filter((name) => name.endsWith('.chunks.txt'))
const whole = names.filter((name) => name.endsWith('.json'))

function linesOf(name: string): string[] {
  const text = readFileSync(join(RECORDINGS, name), 'utf8')
  return name.endsWith('.json') ? [text] : text.split('\n').filter((line) => line !== '')
}

function isChat(name: string): boolean {
  if (!/\.(json|chunks\.txt)$/.test(name)) return false
  try {
    const value: unknown = JSON.parse(linesOf(name)[0] ?? '')
    const [choice] = isRecord(value) && Array.isArray(value.choices) ? value.choices : []
    return isRecord(choice) && (isRecord(choice.message) || isRecord(choice.delta))
  } catch {
    return false
  }
}

const context = contextOf({ stream_options: { include_usage: true } })

function read(bytes: Uint8Array, sizeBytes: number): StreamEvent[] {
  const framer = new SseFramer()
  const reader = createEventReader()
  const events: StreamEvent[] = []
  for (let at = 0; at < bytes.length; at += sizeBytes)
    for (const { data } of framer.push(bytes.subarray(at, at + sizeBytes)))
      if (data !== undefined) events.push(...reader.read(data, undefined))
  return [...events, ...reader.end()]
}

test.if(whole.length > 0).each(whole)('%s is read and leaves as it came', (name) => {
  const [text = ''] = linesOf(name)
  const answer = parseChatAnswer(JSON.parse(text))
  expect(answer.choices.every(({ parts }) => parts.length > 0)).toBe(true)
  expect(answer.choices.map(({ finish }) => finish.reason)).not.toContain('unknown')
  expect(answer.usage?.inputTokens).toBeGreaterThan(0)
  const written = renderChatAnswer(answer, context, new Losses())
  expect(JSON.stringify(written)).toBe(JSON.stringify(JSON.parse(text)))
})

test.if(whole.length > 0).each(whole)('%s is the same when it is written anew', (name) => {
  const { source: _, ...answer } = parseChatAnswer(JSON.parse(linesOf(name)[0] ?? ''))
  const losses = new Losses()
  const again = parseChatAnswer(renderChatAnswer(answer, context, losses))
  // Sources without a place in the text stand for all of it.
  expect(losses.list.every(({ field }) => field.endsWith('.citations'))).toBe(true)
  const shown = [again, answer].map(({ usage, ...answer }) => {
    // What it cost a host is for the gateway to know, not for its clients.
    const counts = { ...usage, reportedCostNanoUsd: undefined }
    return bare(losses.isEmpty ? { ...answer, usage: counts } : counts)
  })
  expect(shown[0]).toEqual(shown[1])
})

test.if(streams.length > 0).each(streams)('%s is read, however it is cut', (name) => {
  const text = linesOf(name).map((line) => `data: ${line}\n\n`)
  const bytes = new TextEncoder().encode(`${text.join('')}data: [DONE]\n\n`)
  const events = read(bytes, bytes.length)
  for (const sizeBytes of [1, 7, 64]) expect(read(bytes, sizeBytes)).toEqual(events)
  const answer = accumulate(events)
  expect(answer.choices.every(({ parts }) => parts.length > 0)).toBe(true)
  expect(answer.usage?.inputTokens).toBeGreaterThan(0)
  const writer = createFrameWriter(context, new Losses())
  const again = read(Buffer.concat(events.map((event) => writer.write([event]))), 64)
  const rendered = renderChatAnswer(answer, context, new Losses())
  expect(bare(accumulate(again))).toEqual(bare(parseChatAnswer(rendered)))
})
