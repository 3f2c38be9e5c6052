import { describe, expect, test } from 'bun:test'
import { GatewayError } from '../../errors/gateway-error'
import type { JsonObject } from '../json'
import { Losses, renderLosses } from '../losses'
import { openaiChat } from '../openai/openai'
import { cohereChat } from './cohere'

const MESSAGES = [{ role: 'user', content: 'Hi' }]

const TOOLS = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }]

/** What an upstream of OpenAI's format is told of a request. */
function told(more: JsonObject): { body: JsonObject; lost: string } {
  const body = { model: 'm', messages: MESSAGES, ...more }
  const generation = cohereChat.chat.parseGeneration(body, {})
  const losses = new Losses()
  const target = { model: 'u', stream: false }
  return {
    body: openaiChat.chat.renderGeneration(generation, target, losses),
    lost: renderLosses(losses.list),
  }
}

describe('a request of Cohere’s', () => {
  test.each<[JsonObject, JsonObject, string]>([
    [{ p: 0.5, stop_sequences: ['x'], seed: 1 }, { top_p: 0.5, stop: ['x'], seed: 1 }, ''],
    [{ k: 5 }, {}, 'top_k;dropped'],
    [{ tool_choice: 'NONE', tools: TOOLS }, { tool_choice: 'none', tools: TOOLS }, ''],
    [
      { response_format: { type: 'json_object' } },
      { response_format: { type: 'json_object' } },
      '',
    ],
    [
      { response_format: { type: 'json_object', json_schema: { type: 'object' } } },
      { response_format: { type: 'json_schema', json_schema: { schema: { type: 'object' } } } },
      '',
    ],
    [{ safety_mode: 'STRICT', documents: ['a'] }, {}, 'safety_mode;dropped, documents;dropped'],
  ])('%p is told', (more, members, lost) => {
    const request = told(more)
    expect(request.body).toMatchObject(members)
    expect(request.body).not.toHaveProperty('documents')
    expect(request.lost).toBe(lost)
  })

  test('says its plan before its calls', () => {
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }
    const { body } = told({
      messages: [
        ...MESSAGES,
        { role: 'assistant', tool_plan: 'I look.', tool_calls: [call] },
        { role: 'tool', tool_call_id: 'a', content: 'rain' },
      ],
    })
    expect(body.messages).toMatchObject([
      ...MESSAGES,
      { role: 'assistant', content: 'I look.', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'a', content: 'rain' },
    ])
  })

  test('without messages is refused', () => {
    expect(() => cohereChat.chat.parseGeneration({ model: 'm' }, {})).toThrow(
      expect.objectContaining({ code: 'invalid_request', param: 'messages' })
    )
  })
})

test('an error that comes in a stream ends it as one', () => {
  const error = new GatewayError('upstream_broken', 'it broke')
  const frame = Buffer.from(cohereChat.client.renderErrorFrame(error, 'r')).toString()
  expect(frame).toContain('"finish_reason":"ERROR"')
  expect(frame).not.toContain('COMPLETE')
})
