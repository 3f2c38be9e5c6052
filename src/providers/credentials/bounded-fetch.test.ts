import { afterAll, describe, expect, test } from 'bun:test'
import { boundedFetch } from './bounded-fetch'

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  development: false,
  routes: {
    '/token': new Response('{"access_token":"t"}', { headers: { 'x-kept': 'yes' } }),
    '/refused': new Response('no', { status: 401 }),
    '/empty': new Response(null, { status: 204 }),
    '/moved': Response.redirect('/token', 307),
    '/packed': new Response(Bun.gzipSync('unpacked'), { headers: { 'content-encoding': 'gzip' } }),
    '/large': new Response('x'.repeat(300_000)),
    // Unpacked it is larger than its length says.
    '/bomb': new Response(Bun.gzipSync('x'.repeat(300_000)), {
      headers: { 'content-encoding': 'gzip' },
    }),
    '/silent': () => new Promise<Response>(() => undefined),
  },
})
afterAll(() => server.stop(true))

const urlOf = (path: string) => `${server.url.origin}${path}`

describe('a fetch of a token', () => {
  test('gives the whole answer', async () => {
    const answer = await boundedFetch(urlOf('/token'))
    expect(answer.headers.get('x-kept')).toBe('yes')
    expect(await answer.json()).toEqual({ access_token: 't' })
  })

  test.each([
    { path: '/refused', status: 401, text: 'no' },
    { path: '/empty', status: 204, text: '' },
    { path: '/packed', status: 200, text: 'unpacked' },
  ])('$path: status $status', async ({ path, status, text }) => {
    const answer = await boundedFetch(urlOf(path))
    expect(answer.status).toBe(status)
    expect(await answer.text()).toBe(text)
  })

  test('does not follow a redirect with the secret', async () => {
    expect((await boundedFetch(urlOf('/moved'), { method: 'POST', body: 'secret' })).status).toBe(
      307
    )
  })

  test.each(['/large', '/bomb'])('%s is refused', async (path) => {
    await expect(boundedFetch(urlOf(path))).rejects.toThrow('too large')
  })

  test('ends with its signal', async () => {
    const controller = new AbortController()
    const answer = boundedFetch(urlOf('/silent'), { signal: controller.signal })
    controller.abort(new Error('given up'))
    await expect(answer).rejects.toThrow('given up')
  })
})
