import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createSimulator, type Simulator } from '../simulator'

let simulator: Simulator
beforeAll(() => {
  simulator = createSimulator()
})
afterAll(() => simulator.stop())

const QUESTION = { role: 'user', content: 'How warm is it?' }
const TOOLS = [{ type: 'function', function: { name: 'get_weather', parameters: {} } }]

function ask(model: string, messages: object[], more: object = {}) {
  return fetch(`${simulator.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, messages, ...more }),
  })
}

/** A conversation in which a tool was called and has answered. */
function called(id: string, more: object = {}): object[] {
  const call = { id, type: 'function', function: { name: 'get_weather', arguments: '{}' } }
  return [
    QUESTION,
    { role: 'assistant', content: null, tool_calls: [call], ...more },
    { role: 'tool', tool_call_id: id, content: '21 degrees' },
  ]
}

describe('a DeepSeek model that thinks', () => {
  const model = 'deepseek-think-sim'

  test('shows its thoughts whole and streamed, and counts them', async () => {
    const whole = JSON.parse(await (await ask(model, [QUESTION])).text())
    const { reasoning_content: thoughts, content } = whole.choices[0].message
    expect(thoughts).toContain('little to think about')
    expect(content).toContain('How warm is it?')
    expect(whole.usage.completion_tokens_details.reasoning_tokens).toBeGreaterThan(10)
    const text = await (await ask(model, [QUESTION], { stream: true })).text()
    const pieces = [...text.matchAll(/"delta":\{"reasoning_content":("[^"]*")\}/g)]
    expect(pieces.map(([, piece]) => JSON.parse(piece ?? '""')).join('')).toBe(thoughts)
    expect(text.indexOf('reasoning_content')).toBeLessThan(text.indexOf('"content":"You'))
  })

  test('demands them back with a call, even empty, and not without one', async () => {
    const refused = await ask(model, called('call_1'))
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({
      error: {
        message: 'The `reasoning_content` in the thinking mode must be passed back to the API.',
        type: 'invalid_request_error',
      },
    })
    for (const reasoning_content of ['', 'I thought.'])
      expect((await ask(model, called('call_1', { reasoning_content }))).status).toBe(200)
    expect((await ask(model, [QUESTION, { role: 'assistant', content: 'Warm.' }])).status).toBe(200)
    expect((await ask('deepseek-chat', called('call_1'))).status).toBe(200)
  })
})

describe('a Mistral model', () => {
  test('makes ids of nine letters and digits, and takes them back', async () => {
    const asked = await ask('mistral-sim', [QUESTION], { tools: TOOLS })
    const answer = JSON.parse(await asked.text())
    const [{ id }] = answer.choices[0].message.tool_calls
    expect(id).toMatch(/^[a-zA-Z0-9]{9}$/)
    expect((await ask('mistral-sim', called(id))).status).toBe(200)
  })

  test('refuses any other id in its own shape', async () => {
    const response = await ask('mistral-sim', called('call_12345'))
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({
      object: 'error',
      message: 'Tool call id was call_12345 but must be a-z, A-Z, 0-9, with a length of 9.',
      type: 'invalid_function_call',
      param: null,
      code: '3280',
    })
    expect((await ask('sim-1', called('call_12345'))).status).toBe(200)
  })

  test('takes its own word for a tool that must be called', async () => {
    const forced = await ask('mistral-sim', [QUESTION], { tools: TOOLS, tool_choice: 'any' })
    expect(await forced.json()).toHaveProperty('choices.0.finish_reason', 'tool_calls')
  })
})
