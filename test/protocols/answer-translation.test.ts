import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { accumulate } from '../../src/protocols/accumulate'
import type { FinishReason } from '../../src/protocols/answer'
import type { Part } from '../../src/protocols/generation'
import type { JsonObject } from '../../src/protocols/json'
import { Losses } from '../../src/protocols/losses'
import type { StreamEvent } from '../../src/protocols/stream-event'
import { NO_USAGE } from '../../src/protocols/usage'
import { CONTEXT, FORMATS, gist, gistOfStream, readStream } from './formats'

const SEED = 20_261_122
const RUNS = 200

const pieces = fc.array(fc.constantFrom('Toll', 'gate ', '税関', '🛃', '"x"\n'), {
  minLength: 1,
  maxLength: 4,
})

type Said = { part: Part; deltas: string[] }

const said: fc.Arbitrary<Said> = fc.oneof(
  {
    weight: 3,
    arbitrary: pieces.map((deltas): Said => ({ part: { type: 'text', text: '' }, deltas })),
  },
  pieces.map((deltas): Said => ({ part: { type: 'reasoning', text: '' }, deltas })),
  fc
    .record({
      number: fc.nat(1_000_000),
      deltas: fc.constantFrom<string[]>([], ['{"a"', ':1}'], ['{}']),
    })
    .map(({ number, deltas }): Said => ({
      part: { type: 'tool_call', id: `call_${number}`, name: 'weather', arguments: '' },
      deltas,
    }))
)

const endings = fc.constantFrom<FinishReason>('stop', 'length', 'content_filter')

/** A streamed answer; calls that follow one another may come interleaved. */
const streamed = fc
  .record({
    parts: fc.uniqueArray(said, {
      minLength: 1,
      maxLength: 5,
      selector: ({ part }) => (part.type === 'tool_call' ? part.id : Symbol('other')),
    }),
    ending: endings,
    interleaved: fc.boolean(),
  })
  .map(({ parts, ending, interleaved }) => toEvents(parts, ending, interleaved))

function toEvents(parts: Said[], ending: FinishReason, interleaved: boolean): StreamEvent[] {
  const last = parts.at(-1)?.part.type
  const reason = last === 'tool_call' ? 'tool_calls' : ending
  const body = parts.map(({ part, deltas }, index): StreamEvent[] => {
    const events: StreamEvent[] = [{ type: 'part_start', choice: 0, index, part }]
    for (const text of deltas) events.push({ type: 'delta', choice: 0, index, text })
    events.push({ type: 'part_end', choice: 0, index })
    return events
  })
  const calls = parts.every(({ part }) => part.type === 'tool_call')
  return [
    { type: 'start', id: 'answer-1', model: 'm', createdAt: 1_750_000_000 },
    ...(interleaved && calls ? inTurns(body) : body.flat()),
    { type: 'finish', choice: 0, finish: { reason, native: reason } },
    { type: 'usage', usage: { ...NO_USAGE, inputTokens: 7, outputTokens: 5 } },
    { type: 'end' },
  ]
}

/** One event of each part, round after round. */
function inTurns(parts: StreamEvent[][]): StreamEvent[] {
  const longest = Math.max(...parts.map(({ length }) => length))
  return Array.from({ length: longest }, (_, round) =>
    parts.flatMap((events) => events.slice(round, round + 1))
  ).flat()
}

describe('an answer', () => {
  test.each(FORMATS.map((format) => [format.dialect, format] as const))(
    'streamed in %s comes to what is said of it whole, however it is cut',
    (_name, format) => {
      fc.assert(
        fc.property(streamed, fc.constantFrom(1, 7, 64), (events, size) => {
          const whole = format.chat.renderChatAnswer(accumulate(events), CONTEXT, new Losses())
          const wire: JsonObject = JSON.parse(JSON.stringify(whole))
          const writer = format.chat.createFrameWriter(CONTEXT, new Losses())
          const frames = Buffer.concat(events.map((event) => writer.write([event])))
          const read = gistOfStream(readStream(format, frames, size))
          expect(read).toEqual(gist(format.chat.parseChatAnswer(wire)))
        }),
        { numRuns: RUNS, seed: SEED, includeErrorInReport: true }
      )
    }
  )
})
