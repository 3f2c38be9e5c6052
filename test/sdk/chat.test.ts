import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { OpenAI } from 'openai'
import { z } from 'zod'

import { createClient, type Floor, loadSdks, startFloor } from './sdks'

const SDKS = await loadSdks()
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const QUESTION = 'Wie heißt das „Mauthäuschen“? 🛃'

const MESSAGES: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: QUESTION }]
const REQUEST = { model: 'sim/sim-1', messages: MESSAGES }

let floor: Floor
beforeAll(async () => {
  floor = await startFloor()
})
afterAll(() => floor.stop())

describe.each(SDKS)('chat by $name', (sdk) => {
  const ask = () => createClient(sdk, floor).chat.completions

  test('a whole answer, with usage and its finish reason', async () => {
    const completion = await ask().create(REQUEST)
    expect(completion.object).toBe('chat.completion')
    const [choice] = completion.choices
    expect(choice?.message.content).toContain(QUESTION)
    expect(choice?.finish_reason).toBe('stop')
    const { prompt_tokens: input = 0, completion_tokens: output = 0 } = completion.usage ?? {}
    expect(input).toBeGreaterThan(0)
    expect(completion.usage?.total_tokens).toBe(input + output)
  })

  test('the request id is the gateway’s, and leads to what is known of the request', async () => {
    const { data, response, request_id } = await ask().create(REQUEST).withResponse()
    expect(request_id).toMatch(UUID)
    expect(data).toMatchObject({ _request_id: request_id })
    expect(response.headers.get('x-tg-model')).toBe('sim/sim-1')
    const shown = await createClient(sdk, floor).get(`/requests/${request_id}`)
    expect(shown).toMatchObject({ id: request_id, status: 200 })
  })

  test('a bare name finds its provider', async () => {
    const completion = await ask().create({ ...REQUEST, model: 'sim-1' })
    expect(completion.choices[0]?.message.content).toContain(QUESTION)
  })

  test('several choices, and an answer cut at its limit', async () => {
    const several = await ask().create({ ...REQUEST, n: 2 })
    expect(several.choices.map(({ index }) => index)).toEqual([0, 1])
    const cut = await ask().create({ ...REQUEST, max_completion_tokens: 2 })
    expect(cut.choices[0]?.finish_reason).toBe('length')
    expect(cut.usage?.completion_tokens).toBe(2)
  })

  test('a stream brings the same text as the whole answer, piece by piece', async () => {
    const whole = await ask().create(REQUEST)
    const chunks = await Array.fromAsync(await ask().create({ ...REQUEST, stream: true }))
    const pieces = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').filter(Boolean)
    expect(pieces.length).toBeGreaterThan(5)
    expect(pieces.join('')).toBe(whole.choices[0]?.message.content ?? '')
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
  })

  test('a stream that was not asked for usage shows none', async () => {
    const chunks = await Array.fromAsync(await ask().create({ ...REQUEST, stream: true }))
    expect(chunks.filter(({ usage }) => usage)).toEqual([])
    expect(chunks.filter(({ choices }) => choices.length === 0)).toEqual([])
  })

  test('a stream that was asked for usage ends with it', async () => {
    const whole = await ask().create(REQUEST)
    const stream = await ask().create({
      ...REQUEST,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await Array.fromAsync(stream)
    expect(chunks.at(-1)?.choices).toEqual([])
    expect(chunks.at(-1)?.usage).toEqual(whole.usage ?? null)
    expect(chunks.slice(0, -1).filter(({ usage }) => usage)).toEqual([])
  })

  test('the stream helper puts an answer together', async () => {
    const stream = ask().stream({ ...REQUEST, stream_options: { include_usage: true } })
    let content = ''
    stream.on('content', (delta) => {
      content += delta
    })
    const completion = await stream.finalChatCompletion()
    expect(completion.choices[0]?.message.content).toBe(content)
    expect(content).toContain(QUESTION)
    expect(completion.choices[0]?.finish_reason).toBe('stop')
    expect(completion.usage?.completion_tokens).toBeGreaterThan(5)
  })

  test('the stream helper tells choices apart', async () => {
    const completion = await ask()
      .stream({ ...REQUEST, n: 2 })
      .finalChatCompletion()
    const [first, second] = completion.choices
    expect(first?.message.content).toContain(QUESTION)
    expect(second?.message.content).toContain('choice 2')
  })

  test('JSON mode answers with an object', async () => {
    const completion = await ask().create({
      ...REQUEST,
      response_format: { type: 'json_object' },
    })
    const answer: unknown = JSON.parse(completion.choices[0]?.message.content ?? '')
    expect(answer).toMatchObject({ answer: expect.stringContaining(QUESTION) })
  })

  test('an answer by a schema is parsed, whole and streamed', async () => {
    const toll = z.object({ road: z.string(), cents: z.int(), paid: z.boolean() })
    const request = { ...REQUEST, response_format: sdk.zodResponseFormat(toll, 'toll') }
    const whole = await ask().parse(request)
    const parsed = whole.choices[0]?.message.parsed
    expect(toll.safeParse(parsed).success).toBeTrue()
    const streamed = await ask().stream(request).finalChatCompletion()
    expect(streamed.choices[0]?.message.parsed).toEqual(parsed ?? null)
  })

  test('fields the gateway does not know reach the provider as they were given', async () => {
    const unknown = { a_field_of_tomorrow: { nested: [1, 2.5, 'ü'] } }
    await ask().create({ ...REQUEST, ...unknown, seed: 7, metadata: { trip: 'north' } })
    const sent: unknown = JSON.parse(floor.simulator.stats().lastRequest?.body ?? '')
    expect(sent).toMatchObject({
      ...unknown,
      model: 'sim-1',
      messages: MESSAGES,
      seed: 7,
      metadata: { trip: 'north' },
    })
  })
})
