import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createMediaFetcher } from './fetch-media'

const PNG = Buffer.from('89504e470d0a1a0a', 'hex')
let url: string
let stop: () => Promise<void>

beforeAll(() => {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      const { pathname } = new URL(request.url)
      const picture = (bytes: Uint8Array, type = 'image/png') =>
        new Response(Buffer.from(bytes), { headers: { 'content-type': type } })
      switch (pathname) {
        case '/a.png':
          return picture(PNG)
        case '/page':
          return picture(Buffer.from('<html>'), 'text/html')
        case '/large':
          return picture(new Uint8Array(2_000))
        case '/moved':
          return Response.redirect('/a.png', 302)
        case '/inward':
          return Response.redirect('http://169.254.169.254/latest/meta-data', 302)
        case '/round':
          return Response.redirect('/round', 302)
        case '/slow':
          return new Promise(() => {})
        default:
          return new Response('', { status: 404 })
      }
    },
  })
  url = `http://127.0.0.1:${server.port}`
  stop = () => server.stop(true)
})
afterAll(() => stop())

const near = () => createMediaFetcher({ allowPrivate: true, maxBytes: 1_000, timeoutMs: 300 })

describe('a picture', () => {
  test.each(['/a.png', '/moved'])('is fetched: %s', async (path) => {
    expect(await near()(url + path)).toEqual({
      ...{ base64: PNG.toString('base64'), mimeType: 'image/png' },
    })
  })

  test.each([
    ['/page', 'text/html'],
    ['/large', '1000 bytes'],
    ['/round', 'from one address to the next'],
    ['/gone', '404'],
    ['/slow', 'timed out'],
  ])('is not: %s', async (path, why) => {
    await expect(near()(url + path)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(why),
    })
  })

  test.each([
    'http://127.0.0.1/a.png',
    'http://localhost/a.png',
    'http://[::1]/a.png',
    'http://[::ffff:127.0.0.1]/a.png',
    'http://10.1.2.3/a.png',
    'http://169.254.169.254/latest/meta-data',
    'http://2130706433/a.png',
    'http://user:secret@pictures.example/a.png',
    'file:///etc/passwd',
    'ftp://pictures.example/a.png',
  ])('never from %s', async (address) => {
    const fetchMedia = createMediaFetcher({ timeoutMs: 300 })
    await expect(fetchMedia(address)).rejects.toMatchObject({ code: 'invalid_request' })
  })

  test('nor from a name that leads inwards', async () => {
    const lookup = Object.assign(async () => [
      { address: '192.168.1.1', family: 4, ttl: 0 } as const,
    ])
    const fetchMedia = createMediaFetcher({ lookup, timeoutMs: 300 })
    await expect(fetchMedia('http://pictures.example/a.png')).rejects.toThrow('192.168.1.1')
  })
})
