import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GatewayError } from '../errors/gateway-error'
import type { OpenFile } from '../std/spool'
import { type FormSettings, readForm } from './read-form'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tollgate-forms-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const LARGE = new Uint8Array(3_000_000).fill(7)

function read(form: FormData, settings: Partial<FormSettings> = {}) {
  const held: number[] = []
  const holder = { hold: (bytes: number) => void held.push(bytes) }
  const request = new Request('http://gateway/v1/files', { method: 'POST', body: form })
  const all = { directory, maxBytes: () => 10_000_000, ...settings }
  return readForm(request, holder, all)
}

const withFile = (bytes: Uint8Array) => {
  const form = new FormData()
  form.set('purpose', 'user_data')
  form.set('file', new File([Buffer.from(bytes)], 'a.bin', { type: 'image/png' }))
  return form
}

async function problemOf(reading: Promise<unknown>): Promise<GatewayError> {
  const error = await reading.then(
    () => undefined,
    (caught: unknown) => caught
  )
  if (error instanceof GatewayError) return error
  throw new Error('it was read')
}

function failing(code: string): OpenFile {
  const error = Object.assign(new Error(code), { code })
  return async () => {
    const file = await open('/dev/null', 'r+')
    file.write = () => Promise.reject(error)
    return file
  }
}

describe('a form', () => {
  test.each([0, 10, 1_048_576, 3_000_000])(
    'with a file of %d bytes is read again and again',
    async (size) => {
      const { form, dispose } = await read(withFile(LARGE.subarray(0, size)))
      expect(form.field('purpose')).toBe('user_data')
      const [file] = form.files
      for (let round = 0; round < 2; round++) {
        const pieces: Uint8Array[] = []
        for await (const piece of file?.content.read() ?? []) pieces.push(piece)
        expect(Buffer.concat(pieces).equals(LARGE.subarray(0, size))).toBe(true)
      }
      expect(file).toMatchObject({ filename: 'a.bin', contentType: 'image/png' })
      expect(readdirSync(directory)).toEqual([])
      dispose()
    }
  )

  test.each(['ENOSPC', 'EDQUOT'])('that the disk has no room for is a 507: %s', async (code) => {
    const error = await problemOf(read(withFile(LARGE), { openFile: failing(code) }))
    expect(error).toMatchObject({ code: 'disk_full', status: 507, retryAfterSeconds: 60 })
    // Who needs no disk is served all the same.
    const { form } = await read(withFile(LARGE.subarray(0, 1_000)), { openFile: failing(code) })
    expect(form.files).toHaveLength(1)
  })

  test('that is too large says by which setting', async () => {
    const error = await problemOf(read(withFile(LARGE), { maxBytes: () => 1_000_000 }))
    expect(error).toMatchObject({ code: 'request_too_large', status: 413 })
    expect(error.message).toContain('server.max_upload')
  })

  test('with more fields than any API has is refused', async () => {
    const form = new FormData()
    for (let at = 0; at < 300; at++) form.append(`f${at}`, 'x')
    expect(await problemOf(read(form))).toMatchObject({ code: 'invalid_request' })
  })

  test('that stops coming is cut', async () => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from('--b\r\n')),
    })
    const headers = { 'content-type': 'multipart/form-data; boundary=b' }
    const request = new Request('http://gateway/', { method: 'POST', body, headers })
    const settings = { directory, maxBytes: () => 1_000, stallMs: 20 }
    expect(await problemOf(readForm(request, { hold() {} }, settings))).toMatchObject({
      code: 'request_timeout',
    })
  })

  test.each(['', 'no form at all', '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx'])(
    'that is none is refused: %j',
    async (text) => {
      const headers = { 'content-type': 'multipart/form-data; boundary=b' }
      const request = new Request('http://gateway/', { method: 'POST', body: text, headers })
      const settings = { directory, maxBytes: () => 1_000, stallMs: 500 }
      expect(await problemOf(readForm(request, { hold() {} }, settings))).toMatchObject({
        code: 'invalid_request',
      })
    }
  )
})
