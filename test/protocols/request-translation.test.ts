import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import type { ChatProtocol } from '../../src/protocols/chat-protocol'
import type { Generation } from '../../src/protocols/generation'
import type { JsonObject } from '../../src/protocols/json'
import { Losses } from '../../src/protocols/losses'
import { generations } from './arbitrary-generation'
import { FORMATS } from './formats'
import { toNormal, unreported } from './normal-form'

const RUNS = 300
const SEED = 20_261_122

/** The model's name decides on some of what Bedrock can be told. */
const MODEL = 'anthropic.claude-sim'

function write(format: ChatProtocol, generation: Generation, losses: Losses): JsonObject {
  const target = { model: MODEL, stream: generation.stream }
  const body = format.chat.renderGeneration(generation, target, losses)
  // As it goes over the wire.
  const wire: JsonObject = JSON.parse(JSON.stringify(body))
  return wire
}

const read = (format: ChatProtocol, body: JsonObject, { stream }: Generation) =>
  format.chat.parseGeneration(body, { model: MODEL, stream })

const PAIRS = FORMATS.flatMap((from) =>
  FORMATS.map((to) => [from.dialect, to.dialect, from, to] as const)
)

describe('a request', () => {
  test.each(PAIRS)('from %s to %s loses nothing that is not reported', (_from, _to, from, to) => {
    fc.assert(
      fc.property(generations, (any) => {
        const given = read(from, write(from, any, new Losses()), any)
        const losses = new Losses()
        const told = read(to, write(to, given, losses), given)
        const problems = unreported(toNormal(given), toNormal(told), losses.list)
        if (problems.length > 0)
          throw new Error(`${problems.join('\n')}\nreported: ${JSON.stringify(losses.list)}`)
      }),
      { numRuns: RUNS, seed: SEED, includeErrorInReport: true }
    )
  })

  test.each(FORMATS.map((format) => [format.dialect, format] as const))(
    'of %s goes to its own format as it came, key for key',
    (_name, format) => {
      fc.assert(
        fc.property(generations, (any) => {
          const body = write(format, any, new Losses())
          const losses = new Losses()
          const again = write(format, read(format, body, any), losses)
          expect(JSON.stringify(again)).toBe(JSON.stringify(body))
          expect(losses.list).toEqual([])
        }),
        { numRuns: RUNS, seed: SEED, includeErrorInReport: true }
      )
    }
  )
})
