import { afterEach, describe, expect, test } from 'bun:test'
import { brotliCompressSync, deflateSync } from 'node:zlib'

import { GatewayError } from '../../errors/gateway-error'
import { call, closeHosts, failureOf, host, patience, say, textOf, until } from './fixtures/host'
import { Http1Client } from './http1-client'

afterEach(closeHosts)

describe('an answer', () => {
  test('comes piece by piece, and slows its host to its reader’s pace', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const size = 800
    let written = 0
    const { origin } = await host((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${chunk.length * size}\r\n\r\n`)
      const write = () => {
        while (written < size) {
          written++
          if (!socket.write(chunk)) return void socket.once('drain', write)
        }
      }
      write()
    })
    const reader = (await new Http1Client().send(origin, call())).body?.getReader()
    await Bun.sleep(300)
    // What the two sockets' buffers hold, and no more.
    expect(written).toBeLessThan(size / 2)
    let length = 0
    for (let piece = await reader?.read(); piece?.value; piece = await reader?.read())
      length += piece.value.length
    expect(length).toBe(chunk.length * size)
  })

  test.each([
    ['gzip', Bun.gzipSync('hello')],
    ['x-gzip', Bun.gzipSync('hello')],
    ['deflate', deflateSync('hello')],
    ['br', brotliCompressSync('hello')],
    ['zstd', Bun.zstdCompressSync('hello')],
    ['GZIP', Bun.gzipSync('hello')],
    ['unheard-of', Buffer.from('hello')],
  ])('that comes packed by %s is unpacked', async (encoding, packed) => {
    const { origin } = await host((socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ncontent-length: ${packed.length}\r\n\r\n`
      )
      socket.write(packed)
    })
    expect(await textOf(new Http1Client().send(origin, call()))).toBe('hello')
  })

  test('that breaks off fails for whoever reads it', async () => {
    const heads = ['content-length: 50', 'transfer-encoding: chunked']
    for (const head of heads) {
      const begun = head.startsWith('t') ? '20\r\nhello' : 'hello'
      const { origin } = await host((socket) => {
        socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${begun}`)
      })
      const client = new Http1Client()
      expect(await failureOf(textOf(client.send(origin, call())))).toBe('ConnectionClosed')
      const reader = (await client.send(origin, call())).body?.getReader()
      await Bun.sleep(20)
      expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('hello')
      expect(await failureOf(reader?.read() ?? Promise.resolve())).toBe('ConnectionClosed')
    }
  })

  test('ends with its connection where it tells no length', async () => {
    const { origin } = await host((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello'))
    expect(await textOf(new Http1Client().send(origin, call()))).toBe('hello')
  })

  test('that is none is an error, and its connection goes', async () => {
    const { origin, connections } = await host((socket) => socket.write('220 mail.example\r\n\r\n'))
    expect(await failureOf(new Http1Client().send(origin, call()))).toBe('upstream_malformed')
    await until(() => connections.every(({ destroyed }) => destroyed))
  })
})

describe('a connection is closed when its request is ended', () => {
  const reason = new GatewayError('client_closed', 'the client left')

  test('before the head', async () => {
    const { origin, connections, requests } = await host(() => {})
    const deadlines = patience()
    const sending = new Http1Client().send(origin, call({ deadlines }))
    await until(() => requests.length === 1)
    deadlines.abort(reason)
    expect(await failureOf(sending)).toBe('client_closed')
    await until(() => connections.every(({ destroyed }) => destroyed))
  })

  test('before it was sent, or its connection stood', async () => {
    const { origin, requests } = await host((socket) => socket.write(say('yes')))
    const client = new Http1Client()
    await textOf(client.send(origin, call()))
    for (const fresh of [false, true]) {
      const deadlines = patience()
      const sending = client.send(origin, call({ deadlines, fresh }))
      deadlines.abort(reason)
      expect(await failureOf(sending)).toBe('client_closed')
    }
    await textOf(client.send(origin, call()))
    const late = patience()
    late.abort(reason)
    expect(await failureOf(client.send(origin, call({ deadlines: late })))).toBe('client_closed')
    await Bun.sleep(20)
    expect(requests).toHaveLength(2)
  })

  const begin = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n'

  test.each(['deadlines', 'reader'])('in the midst of its body, by its %s', async (whose) => {
    const { origin, connections } = await host((socket) => socket.write(begin))
    const deadlines = patience()
    const response = await new Http1Client().send(origin, call({ deadlines }))
    const reader = response.body?.getReader()
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('hello')
    if (whose === 'reader') await reader?.cancel()
    else deadlines.abort(reason)
    await until(() => connections.every(({ destroyed }) => destroyed))
  })

  test('while all of it is awaited', async () => {
    const { origin, connections } = await host((socket) => socket.write(begin))
    const deadlines = patience()
    const reading = textOf(new Http1Client().send(origin, call({ deadlines })))
    await Bun.sleep(20)
    deadlines.abort(reason)
    expect(await failureOf(reading)).toBe('client_closed')
    await until(() => connections.every(({ destroyed }) => destroyed))
  })

  test('and not when all of it had come', async () => {
    const { origin, connections } = await host((socket) => socket.write(say('yes')))
    const client = new Http1Client()
    for (let times = 0; times < 3; times++) {
      const deadlines = patience()
      expect(await textOf(client.send(origin, call({ deadlines })))).toBe('yes')
      deadlines.abort(reason)
    }
    expect(connections).toHaveLength(1)
  })
})

describe('what fails before a head', () => {
  test('is told by its code', async () => {
    const closing = await host((socket) => socket.end())
    expect(await failureOf(new Http1Client().send(closing.origin, call()))).toBe('ConnectionClosed')
    const resetting = await host((socket) => socket.resetAndDestroy())
    expect(await failureOf(new Http1Client().send(resetting.origin, call()))).toBe('ECONNRESET')
    const refusing = new Http1Client().send('http://127.0.0.1:1', call())
    expect(await failureOf(refusing)).toBe('ECONNREFUSED')
    const nowhere = new Http1Client().send('http://nowhere.invalid', call())
    expect(await failureOf(nowhere)).toBe('ENOTFOUND')
  })
})
