import { describe, expect, test } from 'bun:test'
import { array, assert, nat, property, uint8Array } from 'fast-check'

import { GatewayError } from '../../errors/gateway-error'
import { AnswerParser } from './answer-parser'

type Read = { status: number | undefined; body: string; isDone: boolean; keepsAlive: boolean }

/** What is read of an answer that comes in these pieces, and whether its connection then ends in order. */
function read(pieces: readonly Uint8Array[], isClosed = false): Read {
  const parser = new AnswerParser()
  const body: Uint8Array[] = []
  // Each is the parser's own, as a socket's are.
  for (const piece of pieces) body.push(parser.push(piece.slice()).slice())
  if (isClosed) parser.end()
  return {
    status: parser.head?.status,
    body: Buffer.concat(body).toString(),
    isDone: parser.isDone,
    keepsAlive: parser.keepsAlive,
  }
}

function cutAt(text: string, size: number): Uint8Array[] {
  const bytes = Buffer.from(text, 'latin1')
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size)
  )
}

const lines = (...of: string[]) => of.join('\r\n')
const CHUNKS = lines('5', 'hello', '1;name="x"', ' ', 'A', 'wide world', '0', '')

type Case = { name: string; text: string; status?: number; body?: string; keepsAlive?: boolean }

const WHOLE: Case[] = [
  { name: 'a length', text: lines('HTTP/1.1 200 OK', 'content-length: 5', '', 'hello') },
  { name: 'no body', text: lines('HTTP/1.1 204 No Content', '', ''), status: 204, body: '' },
  {
    name: 'not modified',
    text: lines('HTTP/1.1 304', 'Content-Length: 9', '', ''),
    status: 304,
    body: '',
  },
  {
    name: 'a body of nothing',
    text: lines('HTTP/1.1 500 ', 'Content-Length: 0', '', ''),
    status: 500,
    body: '',
  },
  {
    name: 'the same length twice',
    text: lines('HTTP/1.1 200 OK', 'Content-Length: 5', 'content-length: 5', '', 'hello'),
  },
  {
    name: 'chunks',
    text: lines('HTTP/1.1 200 OK', 'Transfer-Encoding: Chunked', '', CHUNKS, ''),
    body: 'hello wide world',
  },
  {
    name: 'sizes that begin with zeros',
    text: lines(
      'HTTP/1.1 200 OK',
      'transfer-encoding: chunked',
      '',
      '0000005',
      'hello',
      '001',
      ' ',
      '00A',
      'wide world',
      '000',
      '',
      ''
    ),
    body: 'hello wide world',
  },
  {
    name: 'trailers',
    text: lines(
      'HTTP/1.1 200 OK',
      'transfer-encoding: chunked',
      '',
      CHUNKS + 'expires: 0',
      'x: y',
      '',
      ''
    ),
    body: 'hello wide world',
  },
  {
    name: 'an interim answer before it',
    text: lines(
      'HTTP/1.1 100 Continue',
      '',
      'HTTP/1.1 103 Early Hints',
      'link: </a>',
      '',
      'HTTP/1.1 200 OK',
      'content-length: 5',
      '',
      'hello'
    ),
  },
  {
    name: 'a connection to be closed',
    text: lines('HTTP/1.1 200 OK', 'content-length: 5', 'Connection: Close', '', 'hello'),
    keepsAlive: false,
  },
  {
    name: 'the old version',
    text: lines('HTTP/1.0 200 OK', 'content-length: 5', '', 'hello'),
    keepsAlive: false,
  },
  {
    name: 'the old version, kept',
    text: lines('HTTP/1.0 200 OK', 'content-length: 5', 'connection: keep-alive', '', 'hello'),
  },
  {
    name: 'both lengths, of which chunks count',
    text: lines(
      'HTTP/1.1 200 OK',
      'content-length: 3',
      'transfer-encoding: chunked',
      '',
      CHUNKS,
      ''
    ),
    body: 'hello wide world',
    keepsAlive: false,
  },
  {
    name: 'more than it is long',
    text: lines('HTTP/1.1 200 OK', 'content-length: 5', '', 'helloHTTP/1.1 200 OK', '', ''),
    keepsAlive: false,
  },
  {
    name: 'more than its chunks',
    text: lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked', '', CHUNKS, 'HTTP'),
    body: 'hello wide world',
    keepsAlive: false,
  },
]

const BROKEN: Record<string, string> = {
  'no HTTP': 'SSH-2.0-OpenSSH_9.6\r\n\r\n',
  'another version': lines('HTTP/2 200', '', ''),
  'no status': lines('HTTP/1.1 OK', '', ''),
  'a change of protocol': lines('HTTP/1.1 101 Switching Protocols', 'upgrade: h2c', '', ''),
  'a line feed alone': 'HTTP/1.1 200 OK\ncontent-length: 5\r\n\r\nhello',
  'a line feed in a value': 'HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n',
  'a value that goes on in the next line': lines('HTTP/1.1 200 OK', 'a: b', ' c', '', ''),
  'a blank before the colon': lines('HTTP/1.1 200 OK', 'content-length : 5', '', 'hello'),
  'a line without a colon': lines('HTTP/1.1 200 OK', 'content-length', '', ''),
  'a signed length': lines('HTTP/1.1 200 OK', 'content-length: +5', '', 'hello'),
  'a length that is too long': lines(
    'HTTP/1.1 200 OK',
    `content-length: ${'9'.repeat(16)}`,
    '',
    ''
  ),
  'two lengths': lines('HTTP/1.1 200 OK', 'content-length: 5', 'content-length: 6', '', 'hello'),
  'an encoding that nobody asked for': lines(
    'HTTP/1.1 200 OK',
    'transfer-encoding: gzip, chunked',
    '',
    '0',
    '',
    ''
  ),
  'a size that is no number': lines(
    'HTTP/1.1 200 OK',
    'transfer-encoding: chunked',
    '',
    '0x5',
    'hello',
    '0',
    '',
    ''
  ),
  'a negative size': lines(
    'HTTP/1.1 200 OK',
    'transfer-encoding: chunked',
    '',
    '-5',
    'hello',
    '',
    ''
  ),
  'a size without its CRLF':
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n',
  'a chunk longer than its size': lines(
    'HTTP/1.1 200 OK',
    'transfer-encoding: chunked',
    '',
    '4',
    'hello',
    '0',
    '',
    ''
  ),
  'a head without an end': `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`,
  'a size without an end': `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;${'y'.repeat(20_000)}`,
  'trailers without an end': `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${'a: b\r\n'.repeat(200)}`,
  'interim answers without an end': 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100),
}

describe('an answer', () => {
  for (const { name, text, status = 200, body = 'hello', keepsAlive = true } of WHOLE)
    for (const size of [1, 7, 64, text.length])
      test(`with ${name} is read from pieces of ${size}`, () => {
        expect(read(cutAt(text, size))).toEqual({ status, body, isDone: true, keepsAlive })
      })

  test('cut anywhere is the same', () => {
    const isRead = (cuts: readonly number[], at: number) => {
      const { text, body = 'hello' } = WHOLE[at % WHOLE.length] ?? { text: '' }
      const bytes = Buffer.from(text, 'latin1')
      const ends = [...cuts.map((cut) => cut % bytes.length), bytes.length].sort((a, b) => a - b)
      const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
      expect(read(pieces)).toMatchObject({ body, isDone: true })
    }
    assert(property(array(nat(), { maxLength: 6 }), nat(), isRead))
  })

  test('without a length ends with its connection', () => {
    const pieces = cutAt(lines('HTTP/1.1 200 OK', '', 'hello'), 7)
    expect(read(pieces)).toMatchObject({ body: 'hello', isDone: false })
    expect(read(pieces, true)).toMatchObject({ body: 'hello', isDone: true, keepsAlive: false })
  })

  test('that breaks off is not whole, wherever it does', () => {
    for (const { text, body } of WHOLE.slice(0, 9)) {
      const end = text.length - (body === '' ? 1 : 2)
      for (let length = 0; length < end; length++)
        expect(read([Buffer.from(text.slice(0, length), 'latin1')], true).isDone).toBe(false)
    }
  })

  test('of many chunks in one piece is put together', () => {
    const texts = Array.from({ length: 300 }, (_, at) => 'x'.repeat(at % 40) + at)
    const chunks = texts.map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join('')
    const text = lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked', '', `${chunks}0`, '', '')
    for (const size of [3, 100, text.length])
      expect(read(cutAt(text, size))).toMatchObject({ body: texts.join(''), isDone: true })
  })

  test('has its headers by any spelling of their names', () => {
    const parser = new AnswerParser()
    parser.push(
      Buffer.from(lines('HTTP/1.1 429 Too Many', 'Retry-After:  7 ', 'X-A: 1', 'x-a: 2', '', ''))
    )
    const headers = parser.head?.headers
    expect(headers?.get('retry-after')).toBe('7')
    expect(headers?.get('RETRY-AFTER')).toBe('7')
    expect(headers?.get('x-a')).toBe('1, 2')
    expect(headers?.has('retry')).toBe(false)
    expect(headers?.get('after')).toBeNull()
    expect(parser.head?.statusText).toBe('Too Many')
  })
})

describe('what is no answer is refused', () => {
  for (const [name, text] of Object.entries(BROKEN))
    for (const size of [1, 64, text.length])
      test(`${name}, in pieces of ${size}`, () => {
        expect(() => read(cutAt(text, size))).toThrow(GatewayError)
      })

  test('whatever bytes come, an error is all that happens', () => {
    const isRefused = (bytes: Uint8Array, at: number) => {
      const { text } = WHOLE[at % WHOLE.length] ?? { text: '' }
      const cut = at % text.length
      try {
        read([Buffer.from(text.slice(0, cut), 'latin1'), bytes])
      } catch (error) {
        expect(GatewayError.from(error).code).toBe('upstream_malformed')
      }
    }
    assert(property(uint8Array({ maxLength: 200 }), nat(), isRefused), { numRuns: 500 })
  })
})
