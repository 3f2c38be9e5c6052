import type { Failure, Frame, SimulatedProtocol, TextFrame } from './protocol'
import { textFrame } from './protocol'

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
  return cutMidway(frames, (next) =>
    next ? [textFrame('extra', next.text.slice(0, next.text.length / 2))] : []
  )
}

/** Half a stream, then an error frame, and no end. */
export function failMidway(frames: Iterable<Frame>, protocol: SimulatedProtocol): Iterable<Frame> {
  return cutMidway(
    frames,
    () => [textFrame('extra', protocol.renderErrorFrame(MID_STREAM_FAILURE))],
    'keep-whole'
  )
}

/** The head promises success, and the first thing behind it is an error. */
export function* failFirst(frames: Iterable<Frame>, protocol: SimulatedProtocol): Generator<Frame> {
  for (const frame of frames) {
    const whole = frame.kind === 'text' && frame.part === 'whole'
    return yield whole
      ? textFrame('whole', protocol.renderError(MID_STREAM_FAILURE))
      : textFrame('start', protocol.renderErrorFrame(MID_STREAM_FAILURE))
  }
}

/** A frame in the middle whose data is no JSON; the rest follows as if nothing were wrong. */
export function* malform(frames: Iterable<Frame>): Generator<Frame> {
  let contentFrames = 0
  for (const frame of frames) {
    yield frame
    if (frame.kind !== 'text' || frame.part !== 'content') continue
    if (++contentFrames === 1) yield textFrame('extra', 'data: {"choices":[{"delta":\n\n')
  }
}

/** A stream without the parts named. */
export function dropParts(...parts: TextFrame['part'][]): FrameChange {
  return function* (frames) {
    for (const frame of frames) {
      if (frame.kind !== 'text' || !parts.includes(frame.part)) yield frame
    }
  }
}

/** Every byte on its own, a millisecond apart, so that characters are cut too. */
export function* drip(frames: Iterable<Frame>): Generator<Frame> {
  for (const frame of frames) {
    if (frame.kind !== 'text') yield frame
    else
      for (const byte of Buffer.from(frame.text))
        yield { kind: 'bytes', bytes: Uint8Array.of(byte), pauseMs: DRIP_EVERY_MS }
  }
}

/** What a queueing host sends while it waits: blank lines, or comments in a stream. */
export function* prependBlanks(frames: Iterable<Frame>): Generator<Frame> {
  let first = true
  for (const frame of frames) {
    const whole = frame.kind === 'text' && frame.part === 'whole'
    if (first) yield textFrame('extra', whole ? '\n\n\n' : ': keep-alive\n\n: keep-alive\n\n')
    first = false
    yield frame
  }
}

/** Comments for ever. */
export function* commentsOnly(): Generator<Frame> {
  for (let pauseMs = 0; ; pauseMs = COMMENT_EVERY_MS)
    yield { kind: 'bytes', bytes: Buffer.from(': keep-alive\n\n'), pauseMs }
}

/** A head and no answer. Bun sends no head before a first byte: a line feed means nothing. */
export function hangAfterHead(): Frame[] {
  return [{ kind: 'bytes', bytes: Buffer.from('\n'), pauseMs: 0 }, { kind: 'hang' }]
}

/**
 * The first frames of a stream, or the first half of a whole answer (unless whole ones are kept), and
 * then `tail`, which is given the stream's next frame.
 */
function* cutMidway(
  frames: Iterable<Frame>,
  tail: (next: TextFrame | undefined) => Iterable<Frame>,
  wholeAnswers: 'halve-whole' | 'keep-whole' = 'halve-whole'
): Generator<Frame> {
  let contentFrames = 0
  for (const frame of frames) {
    if (frame.kind !== 'text') continue
    if (frame.part === 'whole' && wholeAnswers === 'keep-whole') return yield frame
    if (frame.part === 'whole') {
      yield { ...frame, text: frame.text.slice(0, frame.text.length / 2) }
      return yield* tail(undefined)
    }
    if (contentFrames === FRAMES_BEFORE_FAULT || frame.part === 'finish') return yield* tail(frame)
    if (frame.part === 'content') contentFrames++
    yield frame
  }
}
