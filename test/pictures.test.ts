import { afterAll, beforeAll, expect, test } from 'bun:test'
import { inlineMedia, wantsMedia } from '../src/gateway/inline-media'
import { openaiChat } from '../src/protocols/openai/openai'
import { type Harness, startHarness } from './harness'

// Pictures that a request names by their address, for a provider that wants them in the request.

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
  await harness.reload(options())
})
afterAll(() => harness.stop())

const options = (server: Record<string, unknown> = {}) => ({
  server,
  providers: {
    llama: {
      ...{ type: 'ollama', base_url: harness.simulator.url, api_key: 'none' },
      ...{ protocols: ['ollama-chat'], model_list: false },
    },
  },
})

const body = (model: string, url: string) => ({
  model,
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url } },
      ],
    },
  ],
})

const ask = (model: string, url: string) =>
  fetch(`${harness.gateway.url}/v1/chat/completions`, {
    ...{ method: 'POST', body: JSON.stringify(body(model, url)) },
  })

test('are never fetched from the gateway’s own network', async () => {
  harness.simulator.reset()
  const answer = await ask('llama/sim-1', `${harness.simulator.url}/a.png`)
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ error: { param: 'messages' } })
  const paths = harness.simulator.requests().map(({ path }) => path)
  expect(paths.filter((path) => path !== '/v1/models')).toEqual([])
})

test('stay addresses for a provider that can fetch them itself', async () => {
  const url = 'http://127.0.0.1:1/a.png'
  expect((await ask('sim/sim-1', url)).status).toBe(200)
  const [sent] = harness.simulator.requests({ model: 'sim-1' }).slice(-1)
  expect(sent?.body).toContain(url)
})

test('are left out, and said to be, where nothing is to be fetched', async () => {
  await harness.reload(options({ fetch_images: false }))
  const answer = await ask('llama/sim-1', `${harness.simulator.url}/a.png`)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('x-tg-lossy')).toContain('dropped')
})

test('are put into the chat, each fetched once', async () => {
  const url = 'https://pictures.example/a.png'
  const written = body('m', url)
  const generation = openaiChat.chat.parseGeneration(
    { ...written, messages: [...written.messages, ...written.messages] },
    {}
  )
  expect(wantsMedia('ollama-chat', generation)).toBe(true)
  expect(wantsMedia('anthropic-messages', generation)).toBe(false)
  const asked: string[] = []
  const inlined = await inlineMedia(generation, async (address) => {
    asked.push(address)
    return { base64: 'AAAA', mimeType: 'image/png' }
  })
  expect(asked).toEqual([url])
  expect(wantsMedia('ollama-chat', inlined)).toBe(false)
  for (const { parts } of inlined.messages)
    expect(parts[1]).toMatchObject({ data: { base64: 'AAAA' }, mimeType: 'image/png' })
})
