import { connect, type Socket } from 'node:net'

/** A client that is only a socket: it can stop in the middle, or not read. */
export function connectRaw(port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect(port, '127.0.0.1', () => resolve(socket))
  socket.on('error', reject)
  return promise
}

/** Sends text and gives what comes back until the connection closes, or a whole body has come. */
export async function exchangeRaw(port: number, text: string): Promise<string> {
  const socket = await connectRaw(port)
  const { promise, resolve } = Promise.withResolvers<string>()
  let answer = ''
  socket.on('data', (bytes: Buffer) => {
    answer += bytes.toString()
    if (isWhole(answer)) resolve(answer)
  })
  socket.on('close', () => resolve(answer))
  socket.write(text)
  const whole = await promise
  socket.destroy()
  return whole
}

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n')
  const length = /content-length: (\d+)/i.exec(answer)?.[1]
  return headEnd >= 0 && length !== undefined && answer.length >= headEnd + 4 + Number(length)
}

/** A chat completion as it goes over the wire. */
export function rawChat(body: string, headers: Record<string, string> = {}): string {
  const lines = Object.entries({
    host: '127.0.0.1',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST /v1/chat/completions HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}
