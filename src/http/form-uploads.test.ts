import { afterEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { GatewayError } from '../errors/gateway-error'
import type { ReadForm } from '../gateway/client-call'
import { renderForm } from '../protocols/form'
import { readForm } from './read-form'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

const MB = 1024 * 1024
const onLinux = test.skipIf(process.platform !== 'linux')

/** Bytes that tell their places apart, with line ends and dashes among them. */
function bytesOf(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8)) & 255
  return bytes
}

function fileForm(length: number, type = 'audio/wav'): FormData {
  const form = new FormData()
  form.append('file', new File([bytesOf(length)], 'ü "sound".wav', { type }))
  form.append('model', 'sim/whisper')
  form.append('timestamp_granularities[]', 'word')
  form.append('timestamp_granularities[]', 'segment')
  return form
}

/** How many files of the folder this process has open. */
function openFiles(folder: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder)
    } catch {
      return false
    }
  }).length
}

async function until(holds: () => boolean): Promise<void> {
  const endAtMs = performance.now() + 5_000
  while (!holds() && performance.now() < endAtMs) await Bun.sleep(5)
  expect(holds()).toBe(true)
}

type Options = { maxBytes?: number; stallMs?: number; totalMs?: number }

/** A server that reads forms, and gives each to `take`; or answers with the code of what was wrong. */
function serveForms(options: Options = {}, take = toJson) {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-forms-'))
  const settings = { ...options, maxBytes: () => options.maxBytes ?? 64 * MB, directory: folder }
  const codes: string[] = []
  let held = 0
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      try {
        const read = await readForm(request, { hold: (bytes) => void (held += bytes) }, settings)
        codes.push('read')
        return await take(read)
      } catch (error) {
        const { code, status, message } = GatewayError.from(error)
        codes.push(code)
        return new Response(message, { status })
      }
    },
  })
  cleanUps.push(
    () => server.stop(true),
    () => rmSync(folder, { recursive: true, force: true })
  )
  const url = `http://127.0.0.1:${server.port}/`
  const post = (body: NonNullable<RequestInit['body']>, headers?: Record<string, string>) =>
    fetch(url, { method: 'POST', body, ...(headers && { headers }) })
  return { post, folder, codes, port: server.port ?? 0, held: () => held }
}

async function toJson({ form, dispose }: ReadForm): Promise<Response> {
  const [file] = form.files
  const hash = new Bun.CryptoHasher('sha256')
  for await (const bytes of file?.content.read() ?? []) hash.update(bytes)
  dispose()
  return Response.json({
    model: form.field('model'),
    file: file && { name: file.filename, type: file.contentType, bytes: file.content.length },
    hash: hash.digest('hex'),
    parts: form.parts.map(({ name }) => name),
  })
}

const hashOf = (length: number) =>
  new Bun.CryptoHasher('sha256').update(bytesOf(length)).digest('hex')

describe('a form', () => {
  test.each([0, 1, 70_000, MB - 1, MB, MB + 1, 5 * MB])(
    'with a file of %d bytes',
    async (length) => {
      const forms = serveForms()
      const answer = await forms.post(fileForm(length))
      expect(await answer.json()).toEqual({
        model: 'sim/whisper',
        file: { name: 'ü %22sound%22.wav', type: 'audio/wav', bytes: length },
        hash: hashOf(length),
        parts: ['file', 'model', 'timestamp_granularities[]', 'timestamp_granularities[]'],
      })
      expect(readdirSync(forms.folder)).toEqual([])
    }
  )

  onLinux('memory holds up to 1 MB of it, and a file without a name the rest', async () => {
    const seen: number[] = []
    const forms = serveForms({}, (read) => {
      seen.push(openFiles(forms.folder), readdirSync(forms.folder).length)
      return toJson(read)
    })
    await forms.post(fileForm(MB - 10_000))
    await forms.post(fileForm(2 * MB))
    expect(seen).toEqual([0, 0, 1, 0])
    expect(forms.held()).toBeLessThanOrEqual(2 * MB)
    await until(() => openFiles(forms.folder) === 0)
  })

  test.each([1, 7, 64])('in pieces of %d bytes', async (size) => {
    const forms = serveForms()
    const whole = new Response(fileForm(3_000))
    const type = whole.headers.get('content-type') ?? ''
    const bytes = await whole.bytes()
    const pieces = new ReadableStream<Uint8Array>({
      async start(controller) {
        for (let at = 0; at < bytes.length; at += size) {
          controller.enqueue(bytes.slice(at, at + size))
          if ((at / size) % 20 === 0) await Bun.sleep(0)
        }
        controller.close()
      },
    })
    const answer = await forms.post(pieces, { 'content-type': type })
    expect(await answer.json()).toMatchObject({ hash: hashOf(3_000), model: 'sim/whisper' })
  })

  test('goes on with fields set, as often as it is sent', async () => {
    const sent: Awaited<ReturnType<Response['formData']>>[] = []
    const forms = serveForms({}, async ({ form, dispose }) => {
      const body = renderForm(form, { model: 'whisper-1' })
      for (let times = 0; times < 2; times++) {
        const bytes = await new Response(body.stream()).bytes()
        expect(bytes.length).toBe(body.length)
        const again = new Response(bytes, { headers: { 'content-type': body.contentType } })
        sent.push(await again.formData())
      }
      dispose()
      return new Response('')
    })
    await forms.post(fileForm(3 * MB))
    expect(sent).toHaveLength(2)
    for (const form of sent) {
      expect([...form.keys()]).toEqual([
        ...['file', 'model'],
        ...['timestamp_granularities[]', 'timestamp_granularities[]'],
      ])
      expect(form.get('model')).toBe('whisper-1')
      const file = form.get('file')
      if (!(file instanceof File)) throw new Error('the file was lost')
      expect(new Bun.CryptoHasher('sha256').update(await file.bytes()).digest('hex')).toBe(
        hashOf(3 * MB)
      )
    }
  })
})

describe('what is refused', () => {
  test('a form that is too large, declared or not', async () => {
    const forms = serveForms({ maxBytes: MB })
    const declared = await forms.post(fileForm(MB))
    expect([declared.status, await declared.text()]).toEqual([
      413,
      expect.stringContaining('server.max_upload'),
    ])
    const whole = new Response(fileForm(2 * MB))
    const type = whole.headers.get('content-type') ?? ''
    await forms.post(whole.body ?? '', { 'content-type': type }).catch(() => {})
    await until(() => forms.codes.length === 2)
    expect(forms.codes).toEqual(['request_too_large', 'request_too_large'])
    expect(readdirSync(forms.folder)).toEqual([])
  })

  test('a field beyond 1 MB', async () => {
    const forms = serveForms()
    const form = new FormData()
    form.append('prompt', 'x'.repeat(1_100_000))
    const answer = await forms.post(form)
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("'prompt'")])
  })

  test('what is no form', async () => {
    const forms = serveForms()
    const type = { 'content-type': 'multipart/form-data; boundary=abc' }
    for (const [body, headers] of [
      ['hello', type],
      ['--abc\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n', type],
      ['', type],
      ['hello', { 'content-type': 'multipart/form-data' }],
    ] as const) {
      const answer = await forms.post(body, headers)
      expect([answer.status, await answer.text()]).toEqual([
        400,
        expect.stringContaining('multipart/form-data'),
      ])
    }
  })

  onLinux('a client that leaves: its file is gone', async () => {
    const forms = serveForms()
    const socket = connect(forms.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n' +
        'content-type: multipart/form-data; boundary=abc\r\n\r\n' +
        '--abc\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    )
    socket.write(Buffer.alloc(3 * MB))
    await until(() => openFiles(forms.folder) === 1)
    socket.destroy()
    await until(() => forms.codes.length === 1 && openFiles(forms.folder) === 0)
    expect(forms.codes).toEqual(['client_closed'])
    expect(readdirSync(forms.folder)).toEqual([])
  })

  onLinux.each([
    ['pauses too long', { stallMs: 100 }],
    ['takes too long for all of it', { totalMs: 100 }],
  ])('a client that %s', async (_, options) => {
    const forms = serveForms(options)
    const socket = connect(forms.port, '127.0.0.1')
    socket.on('error', () => {})
    cleanUps.push(() => socket.destroy())
    const answered = new Promise<string>((resolve) =>
      socket.once('data', (bytes: Buffer) => resolve(bytes.toString().split('\r\n')[0] ?? ''))
    )
    socket.write(
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n' +
        'content-type: multipart/form-data; boundary=abc\r\n\r\n' +
        '--abc\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    )
    socket.write(Buffer.alloc(2 * MB))
    expect(await answered).toBe('HTTP/1.1 408 Request Timeout')
    await until(() => openFiles(forms.folder) === 0)
  })
})
