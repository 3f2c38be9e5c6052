import type { IncomingHttpHeaders } from 'node:http'
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpStatusHeader } from 'node:http2'

export type OpenedH2Stream = {
  stream: ClientHttp2Stream
  headers: Promise<IncomingHttpHeaders & IncomingHttpStatusHeader>
  firstBytes: Promise<void>
  text: Promise<string>
}

/** A chat completion as one stream of an HTTP/2 connection. */
export function openH2Stream(
  session: ClientHttp2Session,
  body: string,
  headers: Record<string, string> = {}
): OpenedH2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/v1/chat/completions',
    'content-type': 'application/json',
    ...headers,
  })
  const head = Promise.withResolvers<IncomingHttpHeaders & IncomingHttpStatusHeader>()
  const first = Promise.withResolvers<void>()
  const text = Promise.withResolvers<string>()
  let received = ''
  stream.setEncoding('utf8')
  stream.on('response', (headers) => head.resolve(headers))
  stream.on('data', (part: string) => {
    received += part
    first.resolve()
  })
  stream.on('end', () => text.resolve(received))
  // A stream that its client leaves ends in an error too, which is then nobody's concern.
  stream.on('error', () => {})
  stream.on('close', () => text.resolve(received))
  stream.end(body)
  return { stream, headers: head.promise, firstBytes: first.promise, text: text.promise }
}
