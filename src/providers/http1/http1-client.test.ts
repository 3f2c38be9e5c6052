import { afterEach, describe, expect, test } from 'bun:test'
import { createServer } from 'node:net'

import { GatewayError } from '../../errors/gateway-error'
import {
  call,
  closeHosts,
  failureOf,
  host,
  listen,
  patience,
  say,
  textOf,
  until,
} from './fixtures/host'
import { Http1Client } from './http1-client'

afterEach(closeHosts)

describe('a request', () => {
  test('is written as HTTP/1.1 has it', async () => {
    const { origin, requests } = await host((socket) => socket.write(say('yes')))
    const headers = { authorization: 'Bearer a', 'X-B': 'é' }
    expect(await textOf(new Http1Client().send(origin, call({ headers })))).toBe('yes')
    expect(requests).toEqual([
      `POST /v1/chat HTTP/1.1\r\nhost: ${origin.slice(7)}\r\nauthorization: Bearer a\r\nX-B: é\r\ncontent-length: 2\r\n\r\n{}`,
    ])
  })

  test('keeps what frames it to itself, and its host where one is told', async () => {
    const { origin, requests } = await host((socket) => socket.write(say('yes')))
    const headers = { 'Content-Length': '99', 'transfer-encoding': 'chunked', Host: 'other' }
    await textOf(new Http1Client().send(origin, call({ headers, method: 'GET', body: undefined })))
    expect(requests).toEqual(['GET /v1/chat HTTP/1.1\r\nHost: other\r\n\r\n'])
  })

  test('can have no header that is two', () => {
    const client = new Http1Client()
    for (const headers of [{ a: 'b\r\nc: d' }, { 'a\r\nb': 'c' }, { a: 'ж' }, { 'a b': 'c' }])
      expect(() => client.send('http://127.0.0.1:9', call({ headers }))).toThrow(TypeError)
  })

  test('asks for what a URL would', async () => {
    const { origin, requests } = await host((socket) => socket.write(say('yes')))
    const client = new Http1Client()
    const paths = ['/v1/a b', '/v1/../c', '/v1/ü?q=ä', '/v1/./d', '/v1/a\r\nx: y', '/v1/e?f=g/../h']
    for (const path of paths) await textOf(client.send(origin, call({ path })))
    expect(requests.map((request) => request.split(' ')[1])).toEqual(
      paths.map((path) => {
        const { pathname, search } = new URL(origin + path)
        return pathname + search
      })
    )
  })

  test('reaches a name that has several addresses, and IPv6', async () => {
    for (const hostname of ['127.0.0.1', '::1']) {
      const { origin } = await host((socket) => socket.write(say('yes')), hostname)
      const { port } = new URL(origin)
      for (const address of [origin, `http://localhost:${port}`]) {
        if (address !== origin && hostname === '::1') continue
        expect(await textOf(new Http1Client().send(address, call()))).toBe('yes')
      }
    }
  })

  test('of many megabytes arrives whole at a host that is slow to take it', async () => {
    let got = 0
    const server = createServer((socket) => {
      socket.on('data', (bytes) => {
        got += bytes.length
        socket.pause()
        setTimeout(() => socket.resume(), 1)
        if (bytes.includes('END')) socket.write(say(String(got)))
      })
    })
    const origin = await listen(server)
    const body = Buffer.concat([Buffer.alloc(8_000_000, 'x'), Buffer.from('END')])
    const headBytes = `POST /v1/chat HTTP/1.1\r\nhost: ${origin.slice(7)}\r\ncontent-length: ${body.length}\r\n\r\n`
    expect(await textOf(new Http1Client().send(origin, call({ body })))).toBe(
      String(body.length + headBytes.length)
    )
  })
})

describe('connections', () => {
  test('are used again, one request at a time', async () => {
    const { origin, connections, requests } = await host((socket) =>
      setTimeout(() => socket.write(say('yes')), 20)
    )
    const client = new Http1Client()
    for (let round = 0; round < 3; round++) {
      const answers = Array.from({ length: 200 }, () => textOf(client.send(origin, call())))
      expect(new Set(await Promise.all(answers))).toEqual(new Set(['yes']))
    }
    expect(requests).toHaveLength(600)
    expect(connections).toHaveLength(200)
  })

  test('are opened anew where one is asked for', async () => {
    const { origin, connections } = await host((socket) => socket.write(say('yes')))
    const client = new Http1Client()
    await textOf(client.send(origin, call()))
    await textOf(client.send(origin, call({ fresh: true })))
    expect(connections).toHaveLength(2)
  })

  test.each([
    ['says that it closes', 'connection: close'],
    ['keeps it for no time', 'keep-alive: timeout=0'],
  ])('are not used again where their host %s', async (_, header) => {
    const { origin, connections } = await host((socket) => socket.write(say('yes', header)))
    const client = new Http1Client()
    for (let times = 0; times < 3; times++) await textOf(client.send(origin, call()))
    expect(connections).toHaveLength(3)
  })

  test('that their host has closed are not used', async () => {
    const { origin, connections } = await host((socket) => socket.end(say('yes')))
    const client = new Http1Client()
    for (let times = 0; times < 3; times++) {
      expect(await textOf(client.send(origin, call()))).toBe('yes')
      await until(() => connections.every(({ destroyed }) => destroyed))
    }
    expect(connections).toHaveLength(3)
  })

  test('never bring an answer that nobody asked for', async () => {
    const { origin, connections } = await host((socket, _, before) => {
      socket.write(say('yes') + (before === 0 ? say('stolen') : ''))
    })
    const late = await host((socket) => {
      socket.write(say('yes'))
      setTimeout(() => socket.write(say('stolen')), 10)
    })
    const client = new Http1Client()
    for (let times = 0; times < 3; times++) {
      expect(await textOf(client.send(origin, call()))).toBe('yes')
      expect(await textOf(client.send(late.origin, call()))).toBe('yes')
      await Bun.sleep(30)
    }
    expect(connections).toHaveLength(3)
    expect(late.connections).toHaveLength(3)
  })

  test('on which a request was not taken whole are not used again', async () => {
    const early = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.pause()
        socket.write(say('too large'))
      })
    })
    const origin = await listen(early)
    let connections = 0
    early.on('connection', () => connections++)
    const client = new Http1Client()
    const body = Buffer.alloc(16_000_000)
    for (let times = 0; times < 2; times++)
      expect(await textOf(client.send(origin, call({ body })))).toBe('too large')
    expect(connections).toBe(2)
  })

  test('beside one that went silent are given up', async () => {
    let isSilent = false
    const { origin, connections } = await host((socket) => isSilent || socket.write(say('yes')))
    const client = new Http1Client()
    await Promise.all(Array.from({ length: 5 }, () => textOf(client.send(origin, call()))))
    isSilent = true
    const deadlines = patience()
    const sending = client.send(origin, call({ deadlines }))
    await Bun.sleep(20)
    deadlines.abort(new GatewayError('upstream_timeout', 'too late'))
    expect(await failureOf(sending)).toBe('upstream_timeout')
    await until(() => connections.every(({ destroyed }) => destroyed))
    isSilent = false
    expect(await textOf(client.send(origin, call()))).toBe('yes')
    expect(connections).toHaveLength(6)
  })
})
