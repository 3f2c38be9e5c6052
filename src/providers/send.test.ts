import { afterEach, describe, expect, test } from 'bun:test'
import { createServer, type Server } from 'node:net'

import type { ProviderConfiguration } from '../config/configuration'
import { GatewayError } from '../errors/gateway-error'
import { Deadlines } from './deadlines'
import { providerConfiguration } from './fixtures/configuration'
import { createProvider } from './provider'
import { createSender, type SendRequest } from './send'
import type { UpstreamResponse } from './upstream-response'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

function serve(answer: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: answer })
  cleanUps.push(() => server.stop(true))
  return `http://127.0.0.1:${server.port}/v1`
}

function requestTo(configuration: Partial<ProviderConfiguration>, more: Partial<SendRequest> = {}) {
  const provider = createProvider(providerConfiguration(configuration))
  const deadlines = new Deadlines(
    provider.name,
    provider.configuration.deadlines,
    performance.now(),
    true
  )
  return {
    provider,
    format: 'openai-chat',
    path: '/chat/completions',
    body: new TextEncoder().encode('{"a":1.0}'),
    headers: undefined,
    deadlines,
    fresh: false,
    ...more,
  }
}

async function textOf(response: UpstreamResponse): Promise<string> {
  return Buffer.from(await response.bytes()).toString()
}

describe('send', () => {
  test('sends the same to an origin heard of lately as to one that was not', async () => {
    const seen: unknown[] = []
    const baseUrl = serve(async (request) => {
      const { 'content-length': length, 'transfer-encoding': encoding } = Object.fromEntries(
        request.headers
      )
      const { pathname } = new URL(request.url)
      seen.push([request.method, pathname, await request.text(), length, encoding])
      return new Response('yes')
    })
    const sender = createSender()
    const request = requestTo({ baseUrl })
    expect(sender.isCold(request.provider)).toBe(true)
    for (let times = 0; times < 2; times++) {
      const sent = await sender.send(request)
      expect(sent.ok && (await textOf(sent.response))).toBe('yes')
      expect(sender.isCold(request.provider)).toBe(false)
    }
    const wanted = ['POST', '/v1/chat/completions', '{"a":1.0}', '9', undefined]
    expect(seen).toEqual([wanted, wanted])
  })

  test('sends headers: the provider’s, and the request’s beside them', async () => {
    const headers: Record<string, string>[] = []
    const baseUrl = serve((request) => {
      headers.push(Object.fromEntries(request.headers))
      return new Response()
    })
    const sender = createSender()
    const configuration = { baseUrl, apiKey: 'sk-host', headers: { 'x-org': 'a' } }
    for (let times = 0; times < 2; times++)
      await sender.send(requestTo(configuration, { headers: { 'openai-beta': 'b' } }))
    expect(headers).toHaveLength(2)
    for (const sent of headers)
      expect(sent).toMatchObject({
        authorization: 'Bearer sk-host',
        'x-org': 'a',
        'openai-beta': 'b',
        'accept-encoding': 'identity',
      })
  })

  test('gives a redirect as it is', async () => {
    const baseUrl = serve((request) =>
      request.url.endsWith('/elsewhere')
        ? new Response('followed')
        : Response.redirect('/elsewhere', 307)
    )
    const sent = await createSender().send(requestTo({ baseUrl }))
    expect(sent.ok && sent.response.status).toBe(307)
  })

  test('asks without a body by GET', async () => {
    const baseUrl = serve((request) => new Response(request.method))
    const sent = await createSender().send(requestTo({ baseUrl }, { body: undefined }))
    expect(sent.ok && (await textOf(sent.response))).toBe('GET')
  })

  test('goes through the proxy that is configured', async () => {
    const asked: string[] = []
    const proxy = serve((request) => {
      asked.push(request.url)
      return new Response('by proxy')
    }).replace('/v1', '')
    const sent = await createSender().send(
      requestTo({ baseUrl: 'http://host.example/v1', proxy, privateAddresses: false })
    )
    expect(sent.ok && (await textOf(sent.response))).toBe('by proxy')
    expect(asked).toEqual(['http://host.example/v1/chat/completions'])
  })
})

describe('a failure to send', () => {
  test('is a refused connection', async () => {
    const baseUrl = serve(() => new Response())
    for (const cleanUp of cleanUps.splice(0)) await cleanUp()
    const sent = await createSender().send(requestTo({ baseUrl }))
    expect(sent).toMatchObject({ ok: false, error: { code: 'upstream_unreachable' } })
    expect(!sent.ok && sent.resend).toBeUndefined()
  })

  test('is a name that leads nowhere', async () => {
    const sent = await createSender().send(
      requestTo({ baseUrl: 'http://nowhere.invalid/v1', privateAddresses: false })
    )
    expect(sent).toMatchObject({ ok: false, error: { code: 'upstream_unreachable' } })
  })

  test('is an address inside that nobody allowed, and nothing is sent there', async () => {
    let asked = 0
    const baseUrl = serve(() => {
      asked++
      return new Response()
    }).replace('127.0.0.1', 'localhost')
    const sent = await createSender().send(requestTo({ baseUrl, privateAddresses: false }))
    expect(sent).toMatchObject({ ok: false, error: { code: 'upstream_unreachable' } })
    expect(asked).toBe(0)
  })

  test.each([false, true])('is a reset, which may be tried again (fresh: %p)', async (fresh) => {
    const port = await listenRaw((server) =>
      server.on('connection', (socket) => socket.once('data', () => socket.resetAndDestroy()))
    )
    const baseUrl = `http://127.0.0.1:${port}/v1`
    const sent = await createSender().send(requestTo({ baseUrl }, { fresh }))
    expect(sent).toMatchObject({
      ok: false,
      error: { code: 'upstream_broken' },
      resend: 'connection_reset',
    })
  })

  test.each([
    ['upstream_timeout', 504],
    ['client_closed', 499],
  ] as const)('is what ended it early: %s', async (code, status) => {
    const port = await listenRaw((server) => server.on('connection', () => {}))
    const request = requestTo({ baseUrl: `http://127.0.0.1:${port}/v1` })
    const sending = createSender().send(request)
    request.deadlines.abort(new GatewayError(code, 'over'))
    const sent = await sending
    expect(sent).toMatchObject({ ok: false, error: { code, status } })
    expect(!sent.ok && sent.resend).toBeUndefined()
  })
})

async function listenRaw(prepare: (server: Server) => void): Promise<number> {
  const server = createServer()
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    cleanUps.push(() => socket.destroy())
  })
  prepare(server)
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', () => resolve())
  await promise
  cleanUps.push(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
