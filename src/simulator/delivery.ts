import type { Directives } from './directives'
import type { Fault } from './faults'
import type { Pace } from './pace'
import { createPacedStream, resetConnection } from './paced-stream'
import type { Answer, Failure, Frame, SimulatedProtocol } from './protocol'
import { textFrame } from './protocol'
import type { Exchange } from './recorder'
import type { Ticker } from './ticker'

/** Longer whole answers leave in pieces, so that a client that leaves in their midst is noticed. */
const PIECE_BYTES = 256 * 1024

export type Delivery = {
  protocol: SimulatedProtocol
  directives: Directives
  pace: Pace
  ticker: Ticker
  exchange: Exchange
  /** Aborts when the client leaves. */
  signal: AbortSignal
  headers: Record<string, string>
}

/** An answer as a response, at its pace and with its fault. */
export function deliver(answer: Answer, delivery: Delivery): Response | Promise<Response> {
  const { change } = delivery.directives.fault ?? {}
  const { protocol, directives } = delivery
  switch (answer.kind) {
    case 'refused':
      return deliverFailure(answer.failure, delivery)
    case 'stream':
      return streamed(change?.(answer.frames, protocol) ?? answer.frames, delivery, {
        'content-type': protocol.streamType,
        'cache-control': 'no-cache',
      })
    case 'file': {
      const frames = [...inChunks(answer.bytes)]
      return streamed(change?.(frames, protocol) ?? frames, delivery, {
        'content-type': answer.type,
      })
    }
    case 'whole': {
      const frames = [textFrame('whole', answer.text, answer.tokens)]
      const text = change ? joined(change(frames, protocol)) : answer.text
      const json = { 'content-type': 'application/json' }
      if (text === undefined) return streamed(change?.(frames, protocol) ?? [], delivery, json)
      const { gzip = false } = directives.fault ?? {}
      const dueMs = delivery.pace.dueMs(answer.tokens)
      return whenDue(dueMs, delivery, () => whole(200, text, json, delivery, gzip))
    }
  }
}

/** An error in the protocol's own shape, after the time to first token. */
export function deliverFailure(failure: Failure, delivery: Delivery) {
  const { protocol } = delivery
  const text = failure.body ?? protocol.renderError(failure)
  const status = protocol.errorStatus?.(failure.status) ?? failure.status
  const headers = { 'content-type': 'application/json', ...protocol.errorHeaders?.(failure) }
  return whenDue(delivery.pace.dueMs(1), delivery, () =>
    whole(status, text, headers, delivery, false)
  )
}

/** What a fault sends that is no answer of the protocol. */
export function deliverInstead(instead: NonNullable<Fault['instead']>, delivery: Delivery) {
  // No timer reaches so far: only the client's leaving ends the wait.
  if (instead === 'silence') return whenDue(Infinity, delivery, () => new Response())
  const dueMs = delivery.pace.dueMs(1)
  if (instead === 'reset')
    return whenDue(dueMs, delivery, () => {
      delivery.exchange.finish()
      return new Response(new ReadableStream({ pull: resetConnection }))
    })
  const { status, contentType, body } = instead
  const headers: Record<string, string> = contentType ? { 'content-type': contentType } : {}
  return whenDue(dueMs, delivery, () => whole(status, body, headers, delivery, false))
}

function whole(
  status: number,
  text: string,
  headers: Record<string, string>,
  delivery: Delivery,
  gzip: boolean
): Response {
  const init = { status, headers: { ...delivery.headers, ...headers } }
  if (gzip) Object.assign(init.headers, { 'content-encoding': 'gzip' })
  if (text.length > PIECE_BYTES) return streamed(inPieces(text), delivery, headers)
  delivery.exchange.finish()
  return new Response(gzip ? Bun.gzipSync(text) : text, init)
}

function streamed(
  frames: Iterable<Frame>,
  { directives, pace, ticker, exchange, headers }: Delivery,
  contentHeaders: Record<string, string>
): Response {
  const { stamp, fault } = directives
  const gzip = fault?.gzip === true
  const body = createPacedStream({ frames, pace, ticker, exchange, stamp, gzip })
  const encoding = gzip ? { 'content-encoding': 'gzip' } : {}
  return new Response(body, { headers: { ...headers, ...contentHeaders, ...encoding } })
}

/** Responds when it is time; a client that leaves first ends the wait. */
function whenDue(
  dueMs: number,
  { ticker, exchange, signal }: Delivery,
  respond: () => Response
): Response | Promise<Response> {
  if (dueMs <= performance.now()) return respond()
  return new Promise((resolve) => {
    const cancelTimer = Number.isFinite(dueMs)
      ? ticker.at(dueMs, () => {
          signal.removeEventListener('abort', leave)
          resolve(respond())
        })
      : undefined
    function leave() {
      cancelTimer?.()
      exchange.cancel()
      resolve(new Response())
    }
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
  })
}

/** The frames as one text; `undefined` when they pause, hang or reset on the way. */
function joined(frames: Iterable<Frame>): string | undefined {
  let text = ''
  for (const frame of frames) {
    if (frame.kind !== 'text') return undefined
    text += frame.text
  }
  return text
}

function* inPieces(text: string): Generator<Frame> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += PIECE_BYTES)
    yield { kind: 'bytes', bytes: bytes.subarray(at, at + PIECE_BYTES), pauseMs: 0 }
}

const FILE_CHUNKS = 4

/** Some frames, each a token as far as its time is concerned. */
function* inChunks(bytes: Uint8Array): Generator<Frame> {
  const size = Math.max(1, Math.ceil(bytes.length / FILE_CHUNKS))
  for (let at = 0; at < bytes.length; at += size) {
    const chunk = bytes.subarray(at, at + size)
    yield { kind: 'binary', part: 'content', bytes: chunk, tokens: 1, stamped: () => chunk }
  }
}
