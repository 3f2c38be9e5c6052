import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { OpenAI } from 'openai'
import { z } from 'zod'

import { createClient, type Floor, loadSdks, startFloor } from './sdks'

const SDKS = await loadSdks()

const weatherArguments = z.object({ city: z.string(), days: z.int().min(1).max(7) })
const weather: OpenAI.ChatCompletionFunctionTool = {
  type: 'function',
  function: {
    name: 'weather',
    parameters: {
      type: 'object',
      properties: {
        city: { type: 'string' },
        days: { type: 'integer', minimum: 1, maximum: 7 },
      },
      required: ['city', 'days'],
    },
  },
}
const clock: OpenAI.ChatCompletionFunctionTool = {
  type: 'function',
  function: { name: 'clock', parameters: { type: 'object', properties: {} } },
}

const toRequest = (content: string) => ({
  model: 'sim/sim-1',
  messages: [{ role: 'user', content }] satisfies OpenAI.ChatCompletionMessageParam[],
  tools: [weather, clock],
})

let floor: Floor
beforeAll(async () => {
  floor = await startFloor()
})
afterAll(() => floor.stop())

/** The calls of functions in a message, with their arguments read. */
function functionCalls(message: OpenAI.ChatCompletionMessage | undefined) {
  return (message?.tool_calls ?? []).flatMap((call) => {
    if (call.type !== 'function') return []
    const given: unknown = JSON.parse(call.function.arguments)
    return [{ id: call.id, name: call.function.name, given }]
  })
}

describe.each(SDKS)('tools by $name', (sdk) => {
  const ask = () => createClient(sdk, floor).chat.completions

  test('a whole call has a name, an id and arguments by the schema', async () => {
    const completion = await ask().create(toRequest('Will it rain?'))
    const [choice] = completion.choices
    expect(choice?.finish_reason).toBe('tool_calls')
    const [call, ...others] = functionCalls(choice?.message)
    expect(others).toEqual([])
    expect(call?.name).toBe('weather')
    expect(call?.id).not.toBeEmpty()
    expect(weatherArguments.safeParse(call?.given).success).toBeTrue()
  })

  test('arguments are streamed in pieces that make up the whole ones', async () => {
    const whole = await ask().create(toRequest('Will it rain?'))
    const stream = ask().stream(toRequest('Will it rain?'))
    const pieces: string[] = []
    stream.on('tool_calls.function.arguments.delta', (event) => pieces.push(event.arguments_delta))
    const { message, finish_reason } = (await stream.finalChatCompletion()).choices[0] ?? {}
    expect(finish_reason).toBe('tool_calls')
    expect(functionCalls(message)).toEqual(functionCalls(whole.choices[0]?.message))
    expect(pieces.filter(Boolean).length).toBeGreaterThan(1)
    const arguments_ = functionCalls(message)[0]?.given ?? null
    expect(JSON.parse(pieces.join(''))).toEqual(arguments_)
  })

  test('parallel calls keep apart, whole and streamed', async () => {
    const request = toRequest('Ask both in parallel.')
    const whole = functionCalls((await ask().create(request)).choices[0]?.message)
    expect(whole.map(({ name }) => name)).toEqual(['weather', 'clock'])
    expect(new Set(whole.map(({ id }) => id)).size).toBe(2)
    const streamed = await ask().stream(request).finalChatCompletion()
    expect(functionCalls(streamed.choices[0]?.message)).toEqual(whole)
  })

  test('a forced tool is called, and none where none may be', async () => {
    const forced = await ask().create({
      ...toRequest('Will it rain?'),
      tool_choice: { type: 'function', function: { name: 'clock' } },
    })
    expect(functionCalls(forced.choices[0]?.message).map(({ name }) => name)).toEqual(['clock'])
    const none = await ask().create({ ...toRequest('Will it rain?'), tool_choice: 'none' })
    expect(none.choices[0]?.message.tool_calls).toBeUndefined()
    expect(none.choices[0]?.message.content).toContain('Will it rain?')
  })

  test('the turn with the result of the tool is answered in words', async () => {
    const request = toRequest('Will it rain?')
    const first = (await ask().create(request)).choices[0]?.message
    const [call] = functionCalls(first)
    if (!first || !call) throw new Error('no tool was called')
    const result = { role: 'tool', tool_call_id: call.id, content: 'Rain until noon.' } as const
    const messages = [...request.messages, first, result]
    const answer = await ask().create({ ...request, messages })
    expect(answer.choices[0]?.finish_reason).toBe('stop')
    expect(answer.choices[0]?.message.content).toContain('Rain until noon.')
  })

  test('runTools goes round the loop by itself', async () => {
    const calledWith: unknown[] = []
    const runner = ask().runTools({
      model: 'sim/sim-1',
      messages: [{ role: 'user', content: 'Will it rain?' }],
      tools: [
        {
          type: 'function',
          function: {
            name: 'weather',
            description: 'The weather of a city',
            parameters: { ...weather.function.parameters },
            parse: (text: string) => weatherArguments.parse(JSON.parse(text)),
            function(given: z.infer<typeof weatherArguments>) {
              calledWith.push(given)
              return `Dry in ${given.city}.`
            },
          },
        },
      ],
    })
    const content = await runner.finalContent()
    expect(calledWith).toHaveLength(1)
    expect(content).toContain('Dry in')
  })
})
