import { describe, expect, test } from 'bun:test'
import type { Part } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import { Losses, renderLosses } from '../losses'
import type { StreamEvent } from '../stream-event'
import { NO_USAGE } from '../usage'
import { renderChatAnswer } from './chat-answer'
import { ConverseFrameWriter } from './frame-writer'
import { delta, framesOf, MESSAGES, read, start, stop, STREAM } from './fixtures/stream'

function write(events: StreamEvent[]) {
  const losses = new Losses()
  const writer = new ConverseFrameWriter(losses)
  const bytes = Buffer.concat(events.map((event) => writer.write([event])))
  const frames = framesOf(bytes).map(({ event, data = '' }): [string, JsonObject] => [
    event ?? '',
    JSON.parse(data),
  ])
  return { bytes, frames, lost: renderLosses(losses.list) }
}

/** The events of one answer, each part on its own. */
function streamOf(parts: Part[]): StreamEvent[] {
  return [
    { type: 'start' },
    ...parts.flatMap((part, index): StreamEvent[] => [
      { type: 'part_start', choice: 0, index, part },
      { type: 'part_end', choice: 0, index },
    ]),
    { type: 'finish', choice: 0, finish: { reason: 'stop', native: 'stop' } },
    { type: 'end' },
  ]
}

describe('a stream that is written', () => {
  test('has the events of Converse, in their order', () => {
    const { frames, lost } = write(read(Buffer.concat(MESSAGES)))
    expect(frames).toEqual([
      ['messageStart', { role: 'assistant' }],
      ...STREAM.slice(1, -1),
      ['metadata', { usage: STREAM.at(-1)?.[1].usage, metrics: { latencyMs: 0 } }],
    ])
    expect(lost).toBe('metrics.latencyMs;estimated')
  })

  test('puts parallel calls one after another', () => {
    const call = (index: number): StreamEvent => ({
      type: 'part_start',
      choice: 0,
      index,
      part: { type: 'tool_call', id: `c${index}`, name: 'f', arguments: '' },
    })
    const more = (index: number, text: string): StreamEvent => ({
      type: 'delta',
      choice: 0,
      index,
      text,
    })
    const end = (index: number): StreamEvent => ({ type: 'part_end', choice: 0, index })
    const events = [
      call(0),
      call(1),
      more(1, '{"b"'),
      more(0, '{}'),
      more(1, ':1}'),
      end(1),
      end(0),
    ]
    const { frames } = write(events)
    expect(frames.slice(1)).toEqual([
      start(0, { toolUse: { toolUseId: 'c0', name: 'f' } }),
      delta(0, { toolUse: { input: '{}' } }),
      stop(0),
      start(1, { toolUse: { toolUseId: 'c1', name: 'f' } }),
      delta(1, { toolUse: { input: '{"b"' } }),
      delta(1, { toolUse: { input: ':1}' } }),
      stop(1),
    ])
  })

  const source = { protocol: 'gemini', json: {} } as const
  const anthropic = (value: string) => ({ maker: 'anthropic' as const, value })

  test.each<Part[][]>([
    [
      [
        { type: 'text', text: 'a' },
        { type: 'text', text: '' },
        { type: 'text', text: 'b' },
      ],
    ],
    [[{ type: 'refusal', text: 'no' }]],
    [[{ type: 'tool_call', id: 'c', name: 'f', arguments: '' }]],
    [[{ type: 'tool_call', id: 'c', name: 'f', arguments: 'patch', isCustom: true }]],
    [[{ type: 'tool_call', id: 'c', name: 'f', arguments: '{"a":1}', signature: anthropic('s') }]],
    [[{ type: 'reasoning', text: 'hm', signature: anthropic('s'), encrypted: anthropic('c2Vj') }]],
    [[{ type: 'reasoning', text: '', encrypted: anthropic('c2Vj') }]],
    [[{ type: 'reasoning', text: '', encrypted: { maker: 'openai', value: 'gAAA' } }]],
    [[{ type: 'reasoning', text: 'hm', signature: { maker: 'google', value: 's' } }]],
    [[{ type: 'text', text: 'a', citations: [{ url: 'https://example.com', source }] }]],
    [[{ type: 'media', media: 'image', data: { base64: 'AAAA' }, mimeType: 'image/png' }]],
    [[{ type: 'media', media: 'audio', data: { base64: 'AAAA' }, mimeType: 'audio/wav' }]],
    [
      [
        { type: 'native', name: 'x', source },
        { type: 'text', text: 'b' },
      ],
    ],
  ])('comes to the same as the whole: %j', (parts) => {
    const losses = new Losses()
    const finish = { reason: 'stop', native: 'stop' } as const
    const whole = renderChatAnswer({ choices: [{ parts, finish }] }, losses)
    const { frames, lost } = write(streamOf(parts))
    expect(gather(frames)).toEqual(Object(whole.output).message.content)
    const sorted = (text: string) => text.split(', ').sort()
    expect(sorted(lost)).toEqual(sorted(renderLosses(losses.list)))
  })

  test('tells usage once, the last of it, and the choices that it has no place for', () => {
    const { frames, lost } = write([
      { type: 'start', serviceTier: 'flex' },
      { type: 'usage', usage: { ...NO_USAGE, inputTokens: 7 } },
      { type: 'usage', usage: { ...NO_USAGE, outputTokens: 2 } },
      { type: 'part_start', choice: 1, index: 0, part: { type: 'text', text: 'b' } },
      { type: 'finish', choice: 0, finish: { reason: 'length', native: 'length' } },
      { type: 'end' },
    ])
    expect(frames.slice(1)).toEqual([
      ['messageStop', { stopReason: 'max_tokens' }],
      [
        'metadata',
        {
          usage: { inputTokens: 7, outputTokens: 2, totalTokens: 9 },
          metrics: { latencyMs: 0 },
          serviceTier: { type: 'flex' },
        },
      ],
    ])
    expect(lost).toContain('choices.1;dropped')
  })
})

/** A block as far as a client has gathered it. */
type Gathered = {
  start: JsonObject
  text?: string
  input?: string
  thoughts?: { text?: string; signature?: string }
  redacted?: string
  citations: JsonValue[]
  source?: JsonValue
}

/** What a client comes to that goes by the numbers of the blocks. */
function gather(frames: [string, JsonObject][]): JsonObject[] {
  const blocks: Gathered[] = []
  for (const [type, json] of frames) {
    const index = Number(json.contentBlockIndex)
    if (type === 'contentBlockStart') blocks[index] = { start: Object(json.start), citations: [] }
    if (type !== 'contentBlockDelta') continue
    const block = (blocks[index] ??= { start: {}, citations: [] })
    const { text, toolUse, reasoningContent: thought, citation, image } = Object(json.delta)
    if (text !== undefined) block.text = (block.text ?? '') + text
    if (toolUse) block.input = (block.input ?? '') + toolUse.input
    if (citation) block.citations.push(citation)
    if (image) block.source = image.source
    if (thought?.redactedContent) block.redacted = thought.redactedContent
    if (thought?.text !== undefined)
      block.thoughts = { ...block.thoughts, text: (block.thoughts?.text ?? '') + thought.text }
    if (thought?.signature) block.thoughts = { ...block.thoughts, signature: thought.signature }
  }
  return blocks.map(finished)
}

function finished({
  start,
  text,
  input,
  thoughts,
  redacted,
  citations,
  source,
}: Gathered): JsonObject {
  const { toolUse, image } = start
  if (toolUse) return { toolUse: { ...Object(toolUse), input: JSON.parse(input ?? '') } }
  if (image) return { image: { ...Object(image), ...(source !== undefined && { source }) } }
  if (redacted !== undefined) return { reasoningContent: { redactedContent: redacted } }
  if (thoughts) return { reasoningContent: { reasoningText: thoughts } }
  if (citations.length > 0)
    return { citationsContent: { content: [{ text: text ?? '' }], citations } }
  return { ...(text !== undefined && { text }) }
}
