import { describe, expect, test } from 'bun:test'
import type { Generation } from '../generation'
import type { JsonObject } from '../json'
import { Losses } from '../losses'
import { answerOf, CONTEXT, PNG } from './fixtures/ollama'
import { ollamaChat } from './ollama'

const TOOL: JsonObject = {
  function: { parameters: { type: 'object' }, name: 'get_weather' },
  type: 'function',
  'x-host': 1,
}

/** Everything at once, in an order of its own. */
const BODY: JsonObject = {
  options: { num_ctx: 8192, stop: ['END'], num_predict: -2, temperature: 1.0, min_p: 0.05 },
  messages: [
    { content: 'Be brief.', role: 'system' },
    { images: [PNG], role: 'user', content: 'Look.', tomorrow: true },
    {
      role: 'assistant',
      content: '',
      thinking: 'Hm.',
      tool_calls: [{ function: { index: 0, arguments: { city: 'Rome' }, name: 'get_weather' } }],
    },
    { content: 'warm', role: 'tool', tool_name: 'get_weather' },
  ],
  think: 'max',
  model: 'gemma4',
  tools: [TOOL],
  format: { type: 'object' },
  keep_alive: '10m',
  top_logprobs: 2,
  logprobs: true,
  truncate: false,
  shift: null,
}

function write(generation: Generation, stream = true) {
  const losses = new Losses()
  const target = { model: 'upstream-model', stream }
  return { body: ollamaChat.chat.renderGeneration(generation, target, losses), losses: losses.list }
}

const read = (body = BODY) => ollamaChat.chat.parseGeneration(structuredClone(body), {})

describe('a request to its own format', () => {
  test('is what it was, key for key, but for the model', () => {
    const { body, losses } = write(read())
    expect(JSON.stringify(body)).toBe(JSON.stringify({ ...BODY, model: 'upstream-model' }))
    expect(losses).toEqual([])
  })

  test.each([
    [undefined, true, undefined],
    [undefined, false, false],
    [true, true, true],
    [false, false, false],
    [false, true, true],
  ])('that says stream %p, for a stream %p, says %p', (said, stream, expected) => {
    const { body } = write(read({ ...BODY, ...(said !== undefined && { stream: said }) }), stream)
    expect(body.stream).toBe(expected)
  })

  test('keeps its turns and tools where it was edited', () => {
    const [system, ...others] = read().messages
    const edited: Generation = {
      ...read(),
      messages: [{ role: system?.role ?? 'system', parts: system?.parts ?? [] }, ...others],
      source: { protocol: 'openai-chat', json: null },
    }
    const { body } = write(edited)
    expect(body.messages).toEqual(BODY.messages)
    expect(JSON.stringify(body.tools)).toBe(JSON.stringify([TOOL]))
  })

  test('leaves as the client’s own bytes, the model’s name apart', () => {
    const text = '{ "stream" : null, "model":"a" ,"messages":[ ],"options":{"num_predict": 7} }'
    const envelope = ollamaChat.client.parseRequest(Buffer.from(text), {})
    expect(envelope).toMatchObject({ model: 'a', stream: true, outputLimit: 7 })
    const sent = ollamaChat.upstream.renderRequest(envelope, { model: 'b', askForUsage: false })
    expect(Buffer.from(sent).toString()).toBe(text.replace('"a"', '"b"'))
  })
})

test('an answer to its own format is what it was, durations and new members too', () => {
  const json = answerOf({ content: 'Hi' }, { remote_model: 'gemma4:cloud', tomorrow: [1] })
  const answer = ollamaChat.chat.parseChatAnswer(structuredClone(json))
  const losses = new Losses()
  const rendered = ollamaChat.chat.renderChatAnswer(answer, CONTEXT, losses)
  expect(JSON.stringify(rendered)).toBe(JSON.stringify(json))
  expect(losses.isEmpty).toBe(true)
})
