import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import OpenAI, { NotFoundError } from 'openai'
import { createSimulator, type Simulator } from '../simulator'

let simulator: Simulator
let openai: OpenAI
beforeAll(() => {
  simulator = createSimulator()
  openai = new OpenAI({ apiKey: 'any', baseURL: `${simulator.url}/v1`, maxRetries: 0 })
})
afterAll(() => simulator.stop())

describe('embeddings', () => {
  const embed = async (input: OpenAI.EmbeddingCreateParams['input'], more: object = {}) =>
    (await openai.embeddings.create({ model: 'sim-embed-1', input, ...more })).data.map(
      ({ embedding }) => embedding
    )
  const dot = (a: number[] = [], b: number[] = []) =>
    a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)

  test('are unit vectors, equal for equal inputs and near for near ones', async () => {
    const [cat, sameCat, nearCat, tax] = await embed([
      'the cat sat on the mat',
      'the cat sat on the mat',
      'the cat sat on a mat',
      'income tax is due in april',
    ])
    expect(cat).toHaveLength(1536)
    expect(dot(cat, cat)).toBeCloseTo(1, 5)
    expect(sameCat).toEqual(cat ?? [])
    expect(dot(cat, nearCat)).toBeGreaterThan(0.7)
    expect(Math.abs(dot(cat, tax))).toBeLessThan(0.3)
  })

  test('base64, which the SDK asks for on its own, and floats are the same numbers', async () => {
    const [base64] = await embed('hello')
    expect(simulator.stats().lastRequest?.body).toContain('"encoding_format":"base64"')
    const [float] = await embed('hello', { encoding_format: 'float' })
    expect(float).toEqual(base64 ?? [])
  })

  test('take token arrays and dimensions, and count tokens', async () => {
    const answer = await openai.embeddings.create({
      model: 'sim-embed-1',
      input: [
        [1, 2, 3],
        [4, 5],
      ],
      dimensions: 8,
    })
    expect(answer.data.map(({ embedding }) => embedding.length)).toEqual([8, 8])
    expect(answer.usage).toEqual({ prompt_tokens: 5, total_tokens: 5 })
    expect(await embed([1, 2, 3], { dimensions: 8 })).toHaveLength(1)
    await expect(embed([])).rejects.toMatchObject({ status: 400, param: 'input' })
    await expect(embed('x', { dimensions: 5000 })).rejects.toMatchObject({ param: 'dimensions' })
  })
})

describe('legacy completions', () => {
  test('answer each prompt, n times', async () => {
    const answer = await openai.completions.create({
      model: 'sim-1',
      prompt: ['One', 'Two'],
      n: 2,
      max_tokens: 3,
    })
    expect(answer.choices.map(({ text }) => text)).toEqual([
      'You said: “One”.',
      'You said: “One”.',
      'You said: “Two”.',
      'You said: “Two”.',
    ])
    expect(answer.choices.at(-1)).toMatchObject({ index: 3, finish_reason: 'length' })
    expect(answer.usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 12 })
  })

  test('stream the same text, with usage when asked for', async () => {
    const request = { model: 'sim-1;tokens=20', prompt: 'Go on.', echo: true }
    const whole = await openai.completions.create(request)
    const stream = await openai.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await Array.fromAsync(stream)
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe(
      whole.choices[0]?.text ?? ''
    )
    expect(whole.choices[0]?.text).toStartWith('Go on.You said')
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 20 } })
  })
})

describe('models', () => {
  test('are listed, and found by name with directives behind it', async () => {
    const ids = (await openai.models.list()).data.map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(['sim-1', 'sim-embed-1', 'fault-error-429']))
    expect((await openai.models.retrieve('sim-1;ttft=5')).id).toBe('sim-1;ttft=5')
    expect((await openai.models.retrieve('fault-error-429')).owned_by).toBe('simulator')
    const missing = await openai.models.retrieve('nothing').catch((error: unknown) => error)
    expect(missing).toBeInstanceOf(NotFoundError)
  })
})
