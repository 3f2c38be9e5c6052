import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { type Harness, startHarness } from './harness'

// What the gateway reads of forms: what they cost where nobody counts, and what of them is sent.

let harness: Harness
const sent: FormData[] = []

/** A host that keeps the forms it is sent, and answers as text. */
const host = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    const form = new FormData()
    for (const [name, value] of (await request.formData()).entries()) form.append(name, value)
    sent.push(form)
    return new Response('I heard a gate', { headers: { 'content-type': 'text/plain' } })
  },
})

beforeAll(async () => {
  harness = await startHarness({
    sim: { base_url: `http://127.0.0.1:${host.port}/v1`, model_list: false },
    models: {
      'sim/whisper-1': { price: { audio_input_second: 0.0001 } },
      'sim/gpt-4o-transcribe': { price: { input: 2.5, audio_input: 6, output: 10 } },
    },
    routes: {
      german: {
        targets: [
          { model: 'sim/whisper-1', params: { language: 'de', prompt: null, temperature: 0.2 } },
        ],
      },
    },
    log: { bodies: 'full' },
  })
})
afterAll(async () => {
  await harness.stop()
  await host.stop(true)
})

type Fields = readonly (readonly [name: string, value: string])[]

function transcribe(fields: Fields, file: Uint8Array<ArrayBuffer> = wav({})): Promise<Response> {
  const form = new FormData()
  form.append('file', new File([file], 'a.wav'))
  for (const [name, value] of fields) form.append(name, value)
  return fetch(`${harness.gateway.url}/v1/audio/transcriptions`, { method: 'POST', body: form })
}

/** Ten seconds of 16 kHz, 16 bits and one channel, with a head that says otherwise where told. */
function wav({ said = 320_000, bytesASecond = 32_000, bytes = 320_000 }) {
  const file = Buffer.alloc(44 + bytes)
  file.write('RIFF', 0)
  file.writeUInt32LE(36 + bytes, 4)
  file.write('WAVEfmt ', 8)
  file.writeUInt32LE(16, 16)
  file.writeUInt16LE(1, 20)
  file.writeUInt16LE(1, 22)
  file.writeUInt32LE(16_000, 24)
  file.writeUInt32LE(bytesASecond, 28)
  file.writeUInt16LE(2, 32)
  file.writeUInt16LE(16, 34)
  file.write('data', 36)
  file.writeUInt32LE(said, 40)
  return new Uint8Array(file)
}

/** A FLAC file's head: 16 kHz, ten seconds. */
function flac() {
  const file = Buffer.alloc(5_000)
  file.write('fLaC', 0)
  file.writeUIntBE(16_000 << 4, 18, 3)
  file.writeUInt32BE(160_000, 22)
  return new Uint8Array(file)
}

describe('sound whose answer says nothing of what it took', () => {
  test.each([
    ['a head that tells it', wav({})],
    ['a length that was not known when the head was written', wav({ said: 0 })],
    ['a length beyond the end', wav({ said: 0xffffffff })],
    ['a rate of bytes that no decoder goes by', wav({ bytesASecond: 320_000 })],
    ['FLAC', flac()],
    ['something else, by its size', new Uint8Array(80_000)],
  ])('is charged for by the seconds of %s', async (_, file) => {
    const answer = await transcribe([['model', 'sim/whisper-1']], file)
    expect(await answer.text()).toBe('I heard a gate')
    expect(await harness.rowOf(answer)).toMatchObject({
      ...{ usageProvenance: 'estimated', costNanoUsd: 1_000_000 },
    })
  })

  test('is estimated in tokens where these have a price', async () => {
    const row = await harness.rowOf(await transcribe([['model', 'sim/gpt-4o-transcribe']]))
    expect(row).toMatchObject({ usageProvenance: 'estimated', audioInputTokens: 100 })
    const said = row.outputTokens ?? 0
    expect(said).toBeGreaterThan(2)
    expect(row.costNanoUsd).toBe(100 * 6_000 + said * 10_000)
  })
})

describe('fields', () => {
  test.each([
    [
      'model',
      [
        ['model', 'sim/whisper-1'],
        ['model', 'sim/gpt-4o-transcribe'],
      ],
    ],
    [
      'stream',
      [
        ['model', 'sim/whisper-1'],
        ['stream', 'false'],
        ['stream', 'true'],
      ],
    ],
    [
      'stream',
      [
        ['model', 'sim/whisper-1'],
        ['stream', 'perhaps'],
      ],
    ],
  ] as const)('%s of %p is refused', async (param, fields) => {
    const answer = await transcribe(fields)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { param, code: 'invalid_request' } })
  })

  test('a target’s own parameters stand in their place', async () => {
    sent.length = 0
    await transcribe([
      ['model', 'german'],
      ['language', 'en'],
      ['prompt', 'an old gate'],
      ['include[]', 'logprobs'],
    ])
    const [form] = sent
    expect(form?.getAll('model')).toEqual(['whisper-1'])
    expect(form?.getAll('language')).toEqual(['de'])
    expect(form?.get('temperature')).toBe('0.2')
    expect(form?.has('prompt')).toBe(false)
    expect(form?.get('include[]')).toBe('logprobs')
  })

  test('the model of the path is said to a host that wants it in the form', async () => {
    sent.length = 0
    const form = new FormData()
    form.append('file', new File([wav({})], 'a.wav'))
    const path = '/openai/deployments/sim%2Fwhisper-1/audio/transcriptions'
    await fetch(harness.gateway.url + path, { method: 'POST', body: form })
    expect(sent[0]?.get('model')).toBe('whisper-1')
  })

  test('stand in the log, and what files are', async () => {
    const answer = await transcribe([
      ['model', 'sim/whisper-1'],
      ['include[]', 'a'],
      ['include[]', 'b'],
    ])
    const row = await harness.rowOf(answer)
    const bodies = harness.bodiesOf(row.id)
    expect(JSON.parse(bodies?.request ?? '')).toEqual({
      file: { filename: 'a.wav', type: expect.any(String), bytes: 320_044 },
      model: 'sim/whisper-1',
      'include[]': ['a', 'b'],
    })
    expect(bodies?.answer).toBe('I heard a gate')
  })
})

test.each([
  ['a file, which would be there twice', '/v1/files?provider=resets', 1],
  ['a transcription, which is only made', '/v1/audio/transcriptions', 2],
])('%s, by %s, where connections are reset', async (_, path, times) => {
  let taken = 0
  const resetting = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket) {
        taken++
        socket.terminate()
      },
    },
  })
  const resets = {
    ...{ type: 'openai', base_url: `http://127.0.0.1:${resetting.port}/v1`, api_key: 'none' },
    ...{ model_list: false, private_addresses: true },
  }
  await harness.reload({ providers: { resets } })
  const form = new FormData()
  form.append('file', new File(['a'], 'a.jsonl'))
  form.append('model', 'resets/whisper-1')
  const answer = await fetch(harness.gateway.url + path, { method: 'POST', body: form })
  expect([answer.status, taken]).toEqual([502, times])
  resetting.stop(true)
})
