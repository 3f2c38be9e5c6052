import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { z } from 'zod'

import {
  type Ability,
  type Driver,
  type FailureStatus,
  modelOf,
  type ObjectSchema,
  type Question,
  type Said,
  type ToolSpec,
} from './driver'
import { rejectionOf } from './sdks'
import {
  type Floor,
  holdsMember,
  holdsNode,
  PIXEL_NODES,
  REASONING_MEMBERS,
  startUpstreams,
  UPSTREAM_PATHS,
  UPSTREAMS,
} from './upstreams'

const FORECAST_SCHEMA: ObjectSchema = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer', description: 'How far ahead' } },
  required: ['city', 'days'],
  additionalProperties: false,
}
const forecast = z.strictObject({ city: z.string(), days: z.int() })

export const WEATHER: ToolSpec = {
  name: 'weather',
  description: 'The weather of a city',
  parameters: FORECAST_SCHEMA,
}
export const CLOCK: ToolSpec = {
  name: 'clock',
  description: 'The time in a zone',
  parameters: {
    type: 'object',
    properties: { zone: { type: 'string' } },
    required: ['zone'],
    additionalProperties: false,
  },
}

const WAYS = [
  { way: 'whole', streamed: false },
  { way: 'streamed', streamed: true },
]

/** Refusals that each SDK has a type of error for: the gateway's own, then the provider's. */
const REFUSALS: { what: string; status: FailureStatus; model?: string; key?: string }[] = [
  { what: 'an unknown key', status: 401, key: `sk-tg-${'x'.repeat(43)}` },
  { what: 'a model that no provider has', status: 404, model: 'nowhere/model' },
  { what: 'what the provider finds wrong', status: 400, model: 'fault-error-400' },
  { what: 'a rate limit of the provider', status: 429, model: 'fault-error-429' },
]

const BROKEN = ['fault-reset-mid-stream', 'fault-truncated-stream', 'fault-error-mid-stream']

/**
 * What every SDK must reach through the gateway, whichever format the model is behind. One gateway serves all
 * drivers of a file; `floor` is given back for the tests of its own.
 */
export function describeSdks(drivers: readonly Driver[]): () => Floor {
  let floor: Floor | undefined
  const open = () => {
    if (floor === undefined) throw new Error('the floor is opened before the first test')
    return floor
  }
  beforeAll(async () => {
    floor = await startUpstreams()
  })
  afterAll(() => floor?.stop())
  for (const driver of drivers) describe(driver.title, () => describeDriver(driver, open))
  return open
}

function describeDriver(driver: Driver, open: () => Floor): void {
  const can = (ability: Ability) => driver.lacks?.includes(ability) !== true

  describe.each(UPSTREAMS)('before %s', (upstream) => {
    const ask = (more: Partial<Question> = {}): Promise<Said> =>
      driver.ask(open(), {
        model: modelOf(upstream),
        prompt: 'What is a tollgate?',
        streamed: false,
        ...more,
      })

    test('a text, in pieces that make up the whole one', async () => {
      const whole = await ask()
      expect(whole.text).toContain('“What is a tollgate?”')
      expect(whole.calls).toEqual([])
      expect(open().lastSent().path).toMatch(UPSTREAM_PATHS[upstream])
      const streamed = await ask({ streamed: true })
      expect(streamed.text).toBe(whole.text)
      expect(streamed.pieces).toBeGreaterThan(3)
      expect(open().lastSent().path).toMatch(UPSTREAM_PATHS[upstream])
      if (!can('usage')) return
      expect(whole.inputTokens).toBeGreaterThan(3)
      expect(whole.outputTokens).toBeGreaterThan(3)
      expect(streamed.outputTokens).toBe(whole.outputTokens)
      // Most formats tell the usage when all is said, which is late for who reads it in the beginning only.
      if (can('usage-at-the-end') || upstream === 'claude')
        expect(streamed.inputTokens).toBe(whole.inputTokens)
    })

    describe.each(WAYS)('$way', ({ streamed }) => {
      test('a tool is called, and its result answered in words', async () => {
        const first = await ask({ streamed, prompt: 'Will it rain?', tools: [WEATHER, CLOCK] })
        const [call, ...others] = first.calls
        expect(others).toEqual([])
        expect(call?.name).toBe('weather')
        expect(call?.id).not.toBeEmpty()
        expect(forecast.parse(call?.input).city).not.toBeEmpty()
        const last = await first.answer(['Rain until noon.'])
        expect(last.calls).toEqual([])
        expect(last.text).toContain('Rain until noon.')
      })

      test('parallel calls keep apart, and so do their results', async () => {
        const prompt = 'Ask both in parallel.'
        const first = await ask({ streamed, prompt, tools: [WEATHER, CLOCK] })
        expect(first.calls.map(({ name }) => name)).toEqual(['weather', 'clock'])
        expect(new Set(first.calls.map(({ id }) => id)).size).toBe(2)
        expect(() => forecast.parse(first.calls[0]?.input)).not.toThrow()
        const last = await first.answer(['Rain until noon.', 'It is noon.'])
        expect(JSON.stringify(open().lastSent().body)).toContain('Rain until noon.')
        expect(last.text).toContain('It is noon.')
      })

      if (can('schema'))
        test('an answer by a JSON schema', async () => {
          const { text } = await ask({ streamed, schema: FORECAST_SCHEMA })
          expect(forecast.safeParse(JSON.parse(text)).error).toBeUndefined()
        })

      if (can('reasoning'))
        test('reasoning is switched on, and shown where it is answered', async () => {
          const { text, reasoning } = await ask({ streamed, thinks: true })
          expect(text).toContain('“What is a tollgate?”')
          expect(holdsMember(open().lastSent().body, REASONING_MEMBERS[upstream])).toBeTrue()
          // A chat completion of OpenAI's own has no member for thoughts.
          if (upstream !== 'chat' && can('reasoning-shown')) expect(reasoning).not.toBeEmpty()
        })
    })

    if (can('image'))
      test('a picture arrives as the upstream’s own format has it', async () => {
        const { text } = await ask({ shows: 'pixel' })
        expect(text).toContain('What is a tollgate?')
        const { body } = open().lastSent()
        expect([body, holdsNode(body, PIXEL_NODES[upstream])]).toEqual([body, true])
      })

    describe.each(WAYS)('$way', ({ streamed }) => {
      test.concurrent.each(REFUSALS)('$what is its error of $status', async (refusal) => {
        const { status, model, key } = refusal
        const asked = model?.includes('/') ? model : modelOf(upstream, model)
        const access = { url: open().url, key: key ?? open().key }
        const question = { model: asked, prompt: 'Hello?', streamed }
        const error = await rejectionOf(driver.ask(access, question))
        const { isOne, members } = driver.failures[status]
        expect(error).toMatchObject(members)
        expect(isOne(error)).toBeTrue()
        if (status === 429 && driver.retryAfterOf) expect(driver.retryAfterOf(error)).toBe('1')
      })
    })

    test.concurrent.each(BROKEN)('%s is raised, not taken for an end', async (fault) => {
      const question = { model: modelOf(upstream, fault), prompt: 'Hello?', streamed: true }
      expect(await rejectionOf(driver.ask(open(), question))).toBeInstanceOf(Error)
    })
  })
}
