import type { Content, GenerateContentParameters, Part } from '@google/genai'
import { describe, expect, test } from 'bun:test'

import type { Access, Driver, Question, Said } from './driver'
import { raises, when } from './driver'
import { describeSdks } from './suite'
import { PIXEL, UPSTREAMS } from './upstreams'

type Genai = typeof import('@google/genai')

/** The current major, and the one before it under an alias: they differ in the version of their paths. */
const MAJORS = await Promise.all(
  [
    { name: '@google/genai', major: 3 },
    { name: 'google-genai-2', major: 2 },
  ].map(async ({ name, major }) => {
    const genai: Genai = await import(name)
    return { title: `@google/genai ${major}`, genai }
  })
)

function createDriver({ title, genai }: (typeof MAJORS)[number]): Driver {
  return {
    title,
    ask: (access: Access, question: Question) =>
      converse(createClient(genai, access), question, [{ role: 'user', parts: partsOf(question) }]),
    failures: {
      400: raises(genai.ApiError, { status: 400 }),
      401: raises(genai.ApiError, { status: 401 }),
      404: raises(genai.ApiError, { status: 404 }),
      429: raises(genai.ApiError, { status: 429 }),
    },
  }
}

function createClient(genai: Genai, { url, key }: Access, prefix = '/genai') {
  return new genai.GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: `${url}${prefix}` } })
}

async function converse(
  client: InstanceType<Genai['GoogleGenAI']>,
  question: Question,
  contents: Content[]
): Promise<Said> {
  const request = { ...toRequest(question), contents }
  const answers = question.streamed
    ? await Array.fromAsync(await client.models.generateContentStream(request))
    : [await client.models.generateContent(request)]
  const parts = answers.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? [])
  const texts = parts.flatMap(({ text, thought }) => (text && !thought ? [text] : []))
  const calls = parts.flatMap(({ functionCall }) => (functionCall ? [functionCall] : []))
  const usage = answers.findLast(({ usageMetadata }) => usageMetadata)?.usageMetadata
  return {
    text: texts.join(''),
    pieces: texts.length,
    reasoning: parts.map(({ text, thought }) => (thought ? text : '')).join(''),
    // Ids are optional in this API: calls of one name are then told apart by their order.
    calls: calls.map(({ id, name = '', args }, at) => ({ id: id ?? `${at}`, name, input: args })),
    inputTokens: usage?.promptTokenCount,
    outputTokens: (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0),
    answer: (results) =>
      converse(client, question, [
        ...contents,
        { role: 'model', parts },
        { role: 'user', parts: calls.map((call, at) => toResponse(call, results[at])) },
      ]),
  }
}

function toResponse({ id, name }: NonNullable<Part['functionCall']>, output = ''): Part {
  return {
    functionResponse: {
      ...when(id, (known) => ({ id: known })),
      ...when(name, (known) => ({ name: known })),
      response: { output },
    },
  }
}

function toRequest({ model, tools, schema, thinks }: Question) {
  return {
    model,
    config: {
      ...when(tools, (given) => ({
        tools: [
          {
            functionDeclarations: given.map(({ name, description, parameters }) => ({
              name,
              description,
              parametersJsonSchema: parameters,
            })),
          },
        ],
      })),
      ...when(schema, (wanted) => ({
        responseMimeType: 'application/json',
        responseJsonSchema: wanted,
      })),
      ...(thinks && { thinkingConfig: { includeThoughts: true, thinkingBudget: 2_048 } }),
    },
  }
}

function partsOf({ prompt, shows }: Question): Part[] {
  if (shows === undefined) return [{ text: prompt }]
  return [{ text: prompt }, { inlineData: { mimeType: PIXEL.mimeType, data: PIXEL.base64 } }]
}

const floor = describeSdks(MAJORS.map(createDriver))

describe.each(MAJORS)('more of $title', ({ genai }) => {
  describe.each(UPSTREAMS)('before %s', (upstream) => {
    const model = `${upstream}/sim-1`
    const ask = (config: NonNullable<GenerateContentParameters['config']>) =>
      createClient(genai, floor()).models.generateContent({ model, contents: 'Hello?', config })

    test('the base URL works without a prefix', async () => {
      const client = createClient(genai, floor(), '')
      const { candidates } = await client.models.generateContent({ model, contents: 'Hello?' })
      expect(candidates?.[0]?.content?.parts?.[0]?.text).toContain('Hello?')
      expect(candidates?.[0]?.finishReason).toBe(genai.FinishReason.STOP)
    })

    test('a limit that was met is told as MAX_TOKENS', async () => {
      const { candidates } = await ask({ maxOutputTokens: 16 })
      expect(candidates?.[0]?.finishReason).toBe(genai.FinishReason.MAX_TOKENS)
    })

    test('a system instruction and the forms of the older schema are understood', async () => {
      const { candidates } = await ask({
        systemInstruction: 'Be brief.',
        responseMimeType: 'application/json',
        responseSchema: {
          type: genai.Type.OBJECT,
          properties: { city: { type: genai.Type.STRING } },
          required: ['city'],
        },
      })
      const text = candidates?.[0]?.content?.parts?.[0]?.text ?? ''
      expect(JSON.parse(text)).toEqual({ city: expect.any(String) })
    })

    test('tokens are counted, more for more', async () => {
      const { models } = createClient(genai, floor())
      const few = await models.countTokens({ model, contents: 'Hello?' })
      const many = await models.countTokens({ model, contents: 'Hello? '.repeat(50) })
      expect(few.totalTokens).toBeGreaterThan(0)
      expect(many.totalTokens).toBeGreaterThan(few.totalTokens ?? 0)
    })
  })
})

test.each(UPSTREAMS)('without alt=sse the stream is one array, before %s', async (upstream) => {
  const { url, key } = floor()
  const answer = await fetch(`${url}/v1beta/models/${upstream}/sim-1:streamGenerateContent`, {
    method: 'POST',
    headers: { 'x-goog-api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'Hello?' }] }] }),
  })
  expect(answer.headers.get('content-type')).toStartWith('application/json')
  const pieces: unknown = await answer.json()
  if (!Array.isArray(pieces)) throw new Error('it is no array')
  expect(pieces.length).toBeGreaterThan(2)
  expect(pieces.at(-1)).toMatchObject({ candidates: [{ finishReason: 'STOP' }] })
  expect(JSON.stringify(pieces[0])).toContain('You')
})
