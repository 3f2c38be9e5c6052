import type { Call } from './call'
import type { Child } from './children'

/** One request on a connection of its own, read as it comes: no client library's time is in it. */
export type RawExchange = {
  /** When the connection has ended, whoever ended it. */
  ended: Promise<void>
  leave(): void
}

/**
 * Connects, sends and gives each piece of the answer, head and chunk sizes included, to `onText` as it
 * comes. Rejects when nobody listens.
 */
export async function openExchange(
  call: Call,
  onText: (text: string) => void
): Promise<RawExchange> {
  const url = new URL(call.url)
  const ended = Promise.withResolvers<void>()
  const socket = await Bun.connect({
    hostname: url.hostname,
    port: Number(url.port),
    socket: {
      open(socket) {
        socket.write(
          `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\nconnection: close\r\n` +
            `content-type: application/json\r\nauthorization: Bearer ${call.key}\r\n` +
            `content-length: ${Buffer.byteLength(call.body)}\r\n\r\n${call.body}`
        )
      },
      data: (_, bytes) => onText(bytes.toString('latin1')),
      close: () => ended.resolve(),
      error: () => ended.resolve(),
      end: (socket) => void socket.end(),
    },
  })
  return { ended: ended.promise, leave: () => socket.terminate() }
}

/** The whole answer as text, or `undefined` when nobody listens. Cut after `limitMs`. */
export async function readAnswer(call: Call, limitMs: number): Promise<string | undefined> {
  let text = ''
  try {
    const exchange = await openExchange(call, (piece) => (text += piece))
    const timer = setTimeout(() => exchange.leave(), limitMs)
    await exchange.ended
    clearTimeout(timer)
    return text
  } catch {
    return undefined
  }
}

/** Asks again and again, without a pause, until the answer is a 200; gives the milliseconds that took. */
export async function untilAnswered(call: Call, child: Child, limitMs: number): Promise<number> {
  const startedAtMs = performance.now()
  let hasExited = false
  void child.exited.then(() => (hasExited = true))
  let last: string | undefined
  while (performance.now() - startedAtMs < limitMs && !hasExited) {
    last = await readAnswer(call, limitMs)
    if (last?.startsWith('HTTP/1.1 200 ')) return performance.now() - startedAtMs
    // Lets the process's end be heard of; costs nothing else.
    await new Promise((resolve) => setImmediate(resolve))
  }
  const why = hasExited ? 'it ended' : `${limitMs} ms have passed`
  throw new Error(`no answer from ${call.url}: ${why}\n${last ?? ''}\n${child.tail()}`)
}

/** Waits until something accepts connections on the port; throws when the process ends first. */
export async function untilListening(port: number, child: Child): Promise<void> {
  let hasExited = false
  void child.exited.then(() => (hasExited = true))
  for (let tries = 0; tries < 500 && !hasExited; tries++) {
    try {
      const socket = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } })
      socket.terminate()
      return
    } catch {
      await Bun.sleep(20)
    }
  }
  throw new Error(`nothing listens on port ${port}:\n${child.tail()}`)
}
