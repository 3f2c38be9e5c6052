import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createSimulator, type Simulator } from '../simulator'

let simulator: Simulator
beforeAll(() => {
  simulator = createSimulator()
})
afterAll(() => simulator.stop())

const chat = (body: object) =>
  fetch(`${simulator.url}/api/chat`, {
    method: 'POST',
    body: JSON.stringify({
      model: 'sim-1',
      messages: [{ role: 'user', content: 'Hi' }],
      ...body,
    }),
  })

test('models are listed as tags', async () => {
  const response = await fetch(`${simulator.url}/api/tags`)
  expect(await response.json()).toMatchObject({
    models: expect.arrayContaining([
      {
        name: 'sim-1',
        model: 'sim-1',
        modified_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        size: 0,
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        details: expect.objectContaining({ format: 'gguf' }),
      },
    ]),
  })
})

test('streams lines unless told not to', async () => {
  const streamed = await chat({})
  expect(streamed.headers.get('content-type')).toStartWith('application/x-ndjson')
  const lines = (await streamed.text()).trimEnd().split('\n')
  expect(lines.length).toBeGreaterThan(2)
  const done = lines.map((line): unknown => JSON.parse(line)['done'])
  expect(done).toEqual([...lines.slice(1).map(() => false), true])
  const whole = await chat({ stream: false })
  expect(whole.headers.get('content-type')).toStartWith('application/json')
  expect(await whole.json()).toMatchObject({ done: true, message: { role: 'assistant' } })
})

test('calls have their arguments as an object', async () => {
  const parameters = { type: 'object', properties: { city: { type: 'string' } } }
  const tools = [{ type: 'function', function: { name: 'get_weather', parameters } }]
  const answer = await chat({ stream: false, tools })
  expect(await answer.json()).toMatchObject({
    message: { tool_calls: [{ function: { name: 'get_weather', arguments: {} } }] },
    done_reason: 'stop',
  })
})
