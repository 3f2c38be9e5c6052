import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { parseCompletion } from '../protocols/openai/answer'
import { openaiChat } from '../protocols/openai/openai'
import { Deadlines } from '../providers/deadlines'
import { SseFramer } from '../std/sse'
import { UpstreamStream } from './upstream-stream'

// Answers as real providers sent them, where a checkout has them beside it.
const RECORDINGS = join(import.meta.dir, '../../../shared/data/recordings')
const PROVIDERS = [
  'alibaba',
  'deepseek',
  'groq',
  'mistral',
  'moonshotai',
  'openai-compatible',
  'perplexity',
  'xai',
]

const names = existsSync(RECORDINGS)
  ? PROVIDERS.flatMap((provider) =>
      [...new Bun.Glob(`${provider}/*`).scanSync(RECORDINGS)].sort().filter(isChat)
    )
  : []

function isChat(name: string): boolean {
  const text = readFileSync(join(RECORDINGS, name), 'utf8')
  return name.endsWith('.chunks.txt')
    ? text.includes('"choices"')
    : text.includes('"message"') && text.includes('"choices"')
}

const streams = names.filter((name) => name.endsWith('.chunks.txt'))
const whole = names.filter((name) => name.endsWith('.json'))

/** What the relay would send of a stream that comes in pieces of `sizeBytes`. */
async function relayed(text: string, sizeBytes: number) {
  const body = new TextEncoder().encode('{"model":"m","stream":true}')
  const envelope = openaiChat.client.parseRequest(body, {})
  const changes = { model: 'm', askForUsage: false }
  const deadlines = new Deadlines(
    'recorded',
    { connectMs: 60_000, firstByteMs: 60_000, betweenFramesMs: 60_000, totalMs: 60_000 },
    performance.now(),
    false
  )
  const bytes = new TextEncoder().encode(text)
  let at = 0
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, (at += sizeBytes)))
    },
  })
  const reader = openaiChat.upstream.createFrameReader(envelope, changes)
  const stream = new UpstreamStream({ body: source }, new SseFramer(), reader, deadlines)
  const parts: Uint8Array[] = []
  for (let next = await stream.next(); next; next = await stream.next()) parts.push(next)
  return { text: Buffer.concat(parts).toString(), facts: stream.facts }
}

describe.skipIf(names.length === 0)('recorded answers', () => {
  test.each(streams)('%s is relayed byte for byte, however it is cut', async (name) => {
    const lines = readFileSync(join(RECORDINGS, name), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
    const frames = lines.map((line) => `data: ${line}\n\n`).join('')
    const text = `${frames}data: [DONE]\n\n`
    for (const sizeBytes of [1, 7, 64, text.length]) {
      const { text: sent, facts } = await relayed(text, sizeBytes)
      expect(sent).toBe(text)
      expect(facts.usage?.outputTokens).toBeGreaterThan(0)
      expect(facts.finishReasons).toHaveLength(1)
      expect(facts.finishReasons[0]).not.toBe('unknown')
    }
  })

  test.each(whole)('%s is read', (name) => {
    const { usage, finishReasons } = parseCompletion(readFileSync(join(RECORDINGS, name)))
    expect(usage?.inputTokens).toBeGreaterThan(0)
    expect(finishReasons).not.toContain('unknown')
  })

  test('are there in some number', () => {
    expect(streams.length).toBeGreaterThan(5)
    expect(whole.length).toBeGreaterThan(5)
  })
})
