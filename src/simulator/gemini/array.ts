import { type Frame, textFrame } from '../protocol'
import { sseData } from '../wire-event'

/** Server-Sent Events as the elements of one JSON array, which ends with the stream. */
export function* arrayFrames(events: Iterable<Frame>): Generator<Frame> {
  let opening = '['
  for (const frame of events) {
    if (frame.kind === 'text') yield { ...frame, text: `${opening}${sseData(frame.text)}` }
    opening = ',\r\n'
  }
  yield textFrame('end', opening === '[' ? '[]' : ']')
}
