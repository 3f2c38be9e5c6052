import type { Failure, Frame, FramePart, ProtocolFrame, SimulatedProtocol } from './protocol'
import { bytesOf, isProtocolFrame, rawFrame, textFrame } from './protocol'

/** What a fault does to the frames of an answer; a whole answer is one frame, `whole`. */
export type FrameChange = (frames: Iterable<Frame>, protocol: SimulatedProtocol) => Iterable<Frame>

/** Content frames that still leave before a fault in the middle of a stream. */
const FRAMES_BEFORE_FAULT = 3
const COMMENT_EVERY_MS = 100
const DRIP_EVERY_MS = 1

const MID_STREAM_FAILURE: Failure = {
  status: 500,
  code: 'server_error',
  message: 'The simulated model failed while it was answering.',
}

/** Half an answer, then nothing more. */
export function hangMidway(frames: Iterable<Frame>): Iterable<Frame> {
  return cutMidway(frames, () => [{ kind: 'hang' }])
}

/** Half an answer, then the connection is reset. */
export function resetMidway(frames: Iterable<Frame>): Iterable<Frame> {
  return cutMidway(frames, () => [{ kind: 'reset' }])
}

/** Half an answer and an orderly end: a stream is cut inside a frame. */
export function truncate(frames: Iterable<Frame>): Iterable<Frame> {
  return cutMidway(frames, (next) => {
    if (!next) return []
    const half = next.kind === 'text' ? next.text : next.bytes
    return [rawFrame('extra', half.slice(0, half.length / 2))]
  })
}

/** Half a stream, then an error frame, and no end. */
export function failMidway(frames: Iterable<Frame>, protocol: SimulatedProtocol): Iterable<Frame> {
  return cutMidway(
    frames,
    () => [rawFrame('extra', protocol.renderErrorFrame(MID_STREAM_FAILURE, false))],
    'keep-whole'
  )
}

/** The head promises success, and the first thing behind it is an error. */
export function* failFirst(frames: Iterable<Frame>, protocol: SimulatedProtocol): Generator<Frame> {
  for (const frame of frames) {
    const whole = frame.kind === 'text' && frame.part === 'whole'
    return yield whole
      ? textFrame('whole', protocol.renderError(MID_STREAM_FAILURE))
      : rawFrame('start', protocol.renderErrorFrame(MID_STREAM_FAILURE, true))
  }
}

/** A frame in the middle whose data is no JSON; the rest follows as if nothing were wrong. */
export function* malform(frames: Iterable<Frame>, protocol: SimulatedProtocol): Generator<Frame> {
  let contentFrames = 0
  for (const frame of frames) {
    yield frame
    if (!isProtocolFrame(frame) || frame.part !== 'content') continue
    if (++contentFrames === 1) yield rawFrame('extra', protocol.brokenFrame)
  }
}

/** A stream without the parts named. */
export function dropParts(...parts: FramePart[]): FrameChange {
  return function* (frames) {
    for (const frame of frames) {
      if (!isProtocolFrame(frame) || !parts.includes(frame.part)) yield frame
    }
  }
}

/** Every byte on its own, a millisecond apart, so that characters are cut too. */
export function* drip(frames: Iterable<Frame>): Generator<Frame> {
  for (const frame of frames) {
    if (!isProtocolFrame(frame)) yield frame
    else
      for (const byte of bytesOf(frame))
        yield { kind: 'bytes', bytes: Uint8Array.of(byte), pauseMs: DRIP_EVERY_MS }
  }
}

/** What a queueing host sends while it waits: blank lines, or comments in a stream. */
export function* prependBlanks(
  frames: Iterable<Frame>,
  { keepAlive }: SimulatedProtocol
): Generator<Frame> {
  let first = true
  for (const frame of frames) {
    const whole = frame.kind === 'text' && frame.part === 'whole'
    const blanks = whole ? '\n\n\n' : keepAlive.repeat(2)
    if (first && blanks !== '') yield textFrame('extra', blanks)
    first = false
    yield frame
  }
}

/** Comments for ever; a lone head where the protocol has none. */
export function* commentsOnly(
  _: Iterable<Frame>,
  { keepAlive }: SimulatedProtocol
): Generator<Frame> {
  if (keepAlive === '') return yield* hangAfterHead()
  for (let pauseMs = 0; ; pauseMs = COMMENT_EVERY_MS)
    yield { kind: 'bytes', bytes: Buffer.from(keepAlive), pauseMs }
}

/**
 * A head and no answer. Bun sends no head before a first byte: a line feed means nothing in text, and is
 * not yet a length where frames begin with one.
 */
export function hangAfterHead(): Frame[] {
  return [{ kind: 'bytes', bytes: Buffer.from('\n'), pauseMs: 0 }, { kind: 'hang' }]
}

/**
 * The first frames of a stream, or the first half of a whole answer (unless whole ones are kept), and
 * then `tail`, which is given the stream's next frame.
 */
function* cutMidway(
  frames: Iterable<Frame>,
  tail: (next: ProtocolFrame | undefined) => Iterable<Frame>,
  wholeAnswers: 'halve-whole' | 'keep-whole' = 'halve-whole'
): Generator<Frame> {
  let contentFrames = 0
  for (const frame of frames) {
    if (!isProtocolFrame(frame)) continue
    if (frame.part === 'whole' && wholeAnswers === 'keep-whole') return yield frame
    if (frame.part === 'whole' && frame.kind === 'text') {
      yield { ...frame, text: frame.text.slice(0, frame.text.length / 2) }
      return yield* tail(undefined)
    }
    const isLast = frame.part === 'finish' || frame.part === 'end'
    if (contentFrames === FRAMES_BEFORE_FAULT || isLast) return yield* tail(frame)
    if (frame.part === 'content') contentFrames++
    yield frame
  }
}
