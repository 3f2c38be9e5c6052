import { EventStreamEncoder, EventStreamFramer } from '../../protocols/bedrock/event-stream'
import type { JsonObject } from '../../protocols/json'
import { stringOf } from '../../std/record'
import { parseObject, type WireEvent } from '../wire-event'

/** The messages of an event stream, whose payload is the event's JSON. */
export function splitMessages(written: Uint8Array): WireEvent[] {
  return new EventStreamFramer().push(written).map(({ bytes, data, event }) => ({
    name: event,
    raw: bytes,
    json: parseObject(data),
    render: (json) => new EventStreamEncoder().event(event ?? '', json),
  }))
}

/** The same of an invocation, whose payload is a model's own event in base64. */
export function splitChunks(written: Uint8Array): WireEvent[] {
  return splitMessages(written).map(({ name, raw, json, render }) => {
    const native = Buffer.from(stringOf(json, 'bytes') ?? '', 'base64').toString()
    const wrap = (own: JsonObject) => {
      const bytes = Buffer.from(JSON.stringify(own)).toString('base64')
      return render({ ...json, bytes })
    }
    return { name, raw, json: parseObject(native), render: wrap }
  })
}

/** A message of sound lengths whose payload is not what its checksum was made of. */
export function damagedMessage(): Uint8Array {
  const bytes = new EventStreamEncoder().event('contentBlockDelta', { delta: { text: '?' } })
  // Four bytes of checksum stand behind the payload.
  const at = bytes.length - 5
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes
}
