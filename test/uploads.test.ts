import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import Anthropic, { NotFoundError as NotFound } from '@anthropic-ai/sdk'
import OpenAI, { NotFoundError, toFile } from 'openai'

import { type Harness, startHarness, until } from './harness'
import { connectRaw } from './raw-client'

// Forms with files: sound, pictures, files that a provider keeps. By the official SDKs.

let harness: Harness

const PRICES = {
  'sim/whisper-1': { price: { audio_input_second: 0.0001 } },
  'sim/gpt-4o-transcribe': { price: { input: 2.5, output: 10 } },
  'sim/gpt-image-1': { price: { input: 5, image_output: 40 } },
}

beforeAll(async () => {
  process.env['CLAUDE_TEST_KEY'] = 'secret'
  harness = await startHarness({ keys: { required: true } })
  await harness.reload({
    keys: { required: true },
    models: PRICES,
    server: { max_upload: '12MB' },
    providers: {
      claude: {
        ...{ type: 'anthropic', base_url: harness.simulator.url },
        ...{ api_key: '${CLAUDE_TEST_KEY}', model_list: false, private_addresses: true },
      },
    },
  })
})
afterAll(async () => {
  await harness.stop()
  delete process.env['CLAUDE_TEST_KEY']
})

async function newKey(): Promise<{ apiKey: string; client: OpenAI }> {
  const { token: apiKey } = harness.makeKey()
  const client = new OpenAI({ baseURL: `${harness.gateway.url}/v1`, apiKey, maxRetries: 0 })
  await until(() =>
    client.models.list().then(
      () => true,
      () => false
    )
  )
  return { apiKey, client }
}

const newClient = async () => (await newKey()).client

const noise = (bytes: number) => {
  const content = new Uint8Array(bytes)
  for (let at = 0; at < bytes; at += 65_536)
    crypto.getRandomValues(content.subarray(at, Math.min(at + 65_536, bytes)))
  return content
}

/** What stands in the data directory's folder of uploads. */
const leftovers = () => readdirSync(`${harness.directory.path}/uploads`)

describe('transcriptions', () => {
  // Around where a file begins to be written to the disk.
  test.each([1, 1_000, 1_048_575, 1_048_576, 1_048_577, 5_000_000])(
    'a file of %d bytes arrives whole',
    async (bytes) => {
      const client = await newClient()
      const content = noise(bytes)
      const file = await toFile(content, 'talk "one".mp3')
      const { text } = await client.audio.transcriptions.create({ model: 'sim/whisper-1', file })
      const direct = new OpenAI({ baseURL: `${harness.simulator.url}/v1`, apiKey: 'none' })
      const there = await direct.audio.transcriptions.create({
        ...{ model: 'whisper-1', file: await toFile(content, 'talk "one".mp3') },
      })
      expect(text).toBe(there.text)
      expect(leftovers()).toEqual([])
    }
  )

  test('the model may come behind the file, and other fields pass', async () => {
    const { apiKey } = await newKey()
    const form = new FormData()
    form.set('file', new File([noise(2_000_000)], 'a.mp3'))
    form.set('response_format', 'srt')
    form.set('model', 'sim/whisper-1')
    const answer = await fetch(`${harness.gateway.url}/v1/audio/transcriptions`, {
      ...{ method: 'POST', body: form, headers: { authorization: `Bearer ${apiKey}` } },
    })
    expect(answer.headers.get('content-type')).toBe('application/x-subrip')
    expect(await answer.text()).toContain('00:00:00,000 --> 00:00:01,000\nI heard a.mp3')
  })

  test('seconds are charged for, as counted, told or estimated', async () => {
    const client = await newClient()
    const file = () => toFile(noise(80_000), 'a.mp3')
    const model = 'sim/whisper-1'
    const counted = await client.audio.transcriptions
      .create({ model, file: await file() })
      .withResponse()
    expect(await harness.rowOf(counted.response)).toMatchObject({
      ...{ operation: 'transcribe', usageProvenance: 'provider', costNanoUsd: 10 * 100_000 },
    })
    const told = await client.audio.transcriptions
      .create({
        ...{ model: `${model};fault=no-usage`, file: await file() },
        response_format: 'verbose_json',
      })
      .withResponse()
    expect(await harness.rowOf(told.response)).toMatchObject({ usageDetail: { seconds: 10 } })
    const text = await client.audio.transcriptions
      .create({ model, file: await file(), response_format: 'text' })
      .withResponse()
    expect(await harness.rowOf(text.response)).toMatchObject({
      ...{ usageProvenance: 'estimated', costNanoUsd: 10 * 100_000 },
    })
  })

  test('tokens too, also in a stream', async () => {
    const client = await newClient()
    const stream = await client.audio.transcriptions.create({
      ...{ model: 'sim/gpt-4o-transcribe', file: await toFile(noise(80_000), 'a.mp3') },
      stream: true,
    })
    let text = ''
    for await (const event of stream)
      if (event.type === 'transcript.text.delta') text += event.delta
    expect(text).toContain('I heard a.mp3 with 80000 bytes')
    const row = await harness.row((one) => one.requestedModel === 'sim/gpt-4o-transcribe')
    expect(row).toMatchObject({ stream: true, inputTokens: 100, audioInputTokens: 100 })
    expect(row.costNanoUsd).toBeGreaterThan(100 * 2_500)
  })

  test('a file is sent to the next target again', async () => {
    await harness.reload({
      keys: { required: true },
      server: { max_upload: '12MB' },
      routes: {
        listen: {
          strategy: 'fallback',
          targets: ['sim/whisper-1;fault=error-500', 'sim/whisper-1'],
        },
      },
    })
    const client = await newClient()
    const { data, response } = await client.audio.transcriptions
      .create({ model: 'listen', file: await toFile(noise(3_000_000), 'a.mp3') })
      .withResponse()
    expect(data.text).toContain('with 3000000 bytes')
    expect(response.headers.get('x-tg-attempts')).toBe('2')
  })

  test('without a file, or a model, or with too much, the field is named', async () => {
    const { apiKey } = await newKey()
    const send = (fields: Record<string, string | File>) => {
      const form = new FormData()
      for (const [name, value] of Object.entries(fields)) form.set(name, value)
      return fetch(`${harness.gateway.url}/v1/audio/transcriptions`, {
        ...{ method: 'POST', body: form, headers: { authorization: `Bearer ${apiKey}` } },
      })
    }
    const file = new File([noise(10)], 'a.mp3')
    expect(await (await send({ model: 'sim/whisper-1' })).json()).toMatchObject({
      error: { param: 'file' },
    })
    expect(await (await send({ file })).json()).toMatchObject({ error: { param: 'model' } })
    const large = new File([noise(13_000_000)], 'a.mp3')
    const refused = await send({ model: 'sim/whisper-1', file: large })
    expect(refused.status).toBe(413)
    expect(await refused.text()).toContain('server.max_upload')
    expect(leftovers()).toEqual([])
  })
})

describe('pictures', () => {
  test('are edited, also streamed', async () => {
    const client = await newClient()
    const image = async () => [await toFile(noise(2_000_000), 'a.png', { type: 'image/png' })]
    const whole = await client.images.edit({
      ...{ model: 'sim/gpt-image-1', prompt: 'a gate', image: await image() },
    })
    expect(whole.data?.[0]?.b64_json?.slice(0, 8)).toBe('iVBORw0K')
    const stream = await client.images.edit({
      ...{ model: 'sim/gpt-image-1', prompt: 'a gate', image: await image() },
      ...{ stream: true, partial_images: 1 },
    })
    const types: string[] = []
    for await (const event of stream) types.push(event.type)
    expect(types).toEqual(['image_edit.partial_image', 'image_edit.completed'])
  })
})

describe('files', () => {
  test('are kept by the provider, for their key alone', async () => {
    const mine = await newClient()
    const content = noise(2_500_000)
    const made = await mine.files.create({
      ...{ file: await toFile(content, 'notes.txt'), purpose: 'user_data' },
    })
    expect(made).toMatchObject({ filename: 'notes.txt', bytes: 2_500_000 })
    const back = await mine.files.content(made.id)
    expect(Buffer.from(await back.arrayBuffer()).equals(content)).toBe(true)
    expect((await mine.files.list()).data.map(({ id }) => id)).toEqual([made.id])
    expect(await mine.files.retrieve(made.id)).toMatchObject({ id: made.id })
    const other = await newClient()
    expect((await other.files.list()).data).toEqual([])
    for (const call of [
      () => other.files.retrieve(made.id),
      () => other.files.content(made.id),
      () => other.files.delete(made.id),
    ])
      expect(await call().catch((error: unknown) => error)).toBeInstanceOf(NotFoundError)
    expect(await mine.files.delete(made.id)).toMatchObject({ deleted: true })
    expect((await mine.files.list()).data).toEqual([])
    expect(leftovers()).toEqual([])
  })

  test('pages of a list follow on each other', async () => {
    const client = await newClient()
    const ids: string[] = []
    for (let at = 0; at < 5; at++) {
      const file = await toFile(noise(10), `${at}.txt`)
      ids.push((await client.files.create({ file, purpose: 'user_data' })).id)
    }
    const seen: string[] = []
    for await (const { id } of client.files.list({ limit: 2 })) seen.push(id)
    expect(seen.toSorted()).toEqual(ids.toSorted())
  })

  test('of Anthropic’s too', async () => {
    await harness.reload({
      keys: { required: true },
      providers: {
        claude: {
          ...{ type: 'anthropic', base_url: harness.simulator.url },
          ...{ api_key: '${CLAUDE_TEST_KEY}', model_list: false, private_addresses: true },
        },
      },
    })
    const { apiKey } = await newKey()
    const client = new Anthropic({ baseURL: harness.gateway.url, apiKey, maxRetries: 0 })
    const made = await client.beta.files.upload({ file: await toFile(noise(100), 'a.txt') })
    expect(made).toMatchObject({ filename: 'a.txt', size_bytes: 100 })
    expect((await client.beta.files.list()).data.map(({ id }) => id)).toEqual([made.id])
    expect(await client.beta.files.retrieveMetadata(made.id)).toMatchObject({ id: made.id })
    const { apiKey: otherKey } = await newKey()
    const other = new Anthropic({ baseURL: harness.gateway.url, apiKey: otherKey, maxRetries: 0 })
    const error = await other.beta.files
      .retrieveMetadata(made.id)
      .catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(NotFound)
    await client.beta.files.delete(made.id)
    expect((await client.beta.files.list()).data).toEqual([])
  })

  test('which provider is to keep them has to be known', async () => {
    const { apiKey } = await newKey()
    await harness.reload({
      keys: { required: true },
      providers: {
        second: { type: 'openai', base_url: `${harness.simulator.url}/v1`, api_key: 'none' },
      },
    })
    const send = (query: string) => {
      const form = new FormData()
      form.set('purpose', 'user_data')
      form.set('file', new File(['x'], 'x.txt'))
      return fetch(`${harness.gateway.url}/v1/files${query}`, {
        ...{ method: 'POST', body: form, headers: { authorization: `Bearer ${apiKey}` } },
      })
    }
    const refused = await send('')
    expect(refused.status).toBe(400)
    expect(await refused.text()).toContain('?provider=')
    expect((await send('?provider=second')).status).toBe(200)
    expect((await send('?model=sim/sim-1')).status).toBe(200)
    expect((await send('?provider=nobody')).status).toBe(400)
  })

  test('an upload that is left leaves nothing behind', async () => {
    const { apiKey } = await newKey()
    const socket = await connectRaw(harness.gateway.port)
    const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    socket.write(
      `POST /v1/files?provider=sim HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${apiKey}\r\n` +
        `content-type: multipart/form-data; boundary=b\r\ncontent-length: 9000000\r\n\r\n${head}`
    )
    const { promise: taken, resolve } = Promise.withResolvers<void>()
    socket.write('x'.repeat(3_000_000), () => resolve())
    await taken
    await Bun.sleep(300)
    socket.destroy()
    await harness.row(({ errorCode }) => errorCode === 'client_closed')
    expect(leftovers()).toEqual([])
    // On a busy machine three megabytes through a socket took more than the usual five seconds, once.
  }, 20_000)
})
