import { type BodyReader, readerOf, type UpstreamResponse } from '../upstream-response'

/** https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1, by the names that Bun has for them. */
const FORMATS: Readonly<Record<string, Bun.CompressionFormat>> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'brotli',
  zstd: 'zstd',
}

/**
 * The answer with its body unpacked as it comes, each flush of the host's at once. Nobody asks for packed answers; some
 * come all the same. One that is not packed is given back, and one in an unknown way too.
 */
export function decodeAnswer(answer: UpstreamResponse): UpstreamResponse {
  const encoding = answer.headers.get('content-encoding')
  if (encoding === null) return answer
  const format = FORMATS[encoding.toLowerCase()]
  if (format === undefined) return answer
  const { status, ok, statusText, headers } = answer
  const body = toStream(readerOf(answer)).pipeThrough(new DecompressionStream(format))
  const bytes = async () => Bun.readableStreamToBytes(body)
  return { status, ok, statusText, headers, body, bytes }
}

function toStream(reader: BodyReader): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value } = await reader.read()
        if (value) controller.enqueue(value)
        else controller.close()
      },
      cancel: () => reader.cancel(),
    },
    { highWaterMark: 0 }
  )
}
