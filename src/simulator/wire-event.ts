import type { JsonObject, JsonValue } from '../protocols/json'
import { isRecord } from '../std/record'
import { SseFramer } from '../std/sse'

/** One frame that a format's writer wrote: as it is, and how to write it with other JSON. */
export type WireEvent = {
  /** The event's name, where the framing has one. */
  name: string | undefined
  raw: string | Uint8Array
  /** What it says; `undefined` for an end mark, or another thing that is no JSON object. */
  json: JsonObject | undefined
  render(json: JsonObject): string | Uint8Array
}

/** The frames of whole Server-Sent Events. */
export function splitSse(written: Uint8Array): WireEvent[] {
  return new SseFramer().push(written).map(({ bytes, data, event }) => ({
    name: event,
    raw: new TextDecoder().decode(bytes),
    json: parseObject(data),
    render: (json) => sseText(event, json),
  }))
}

/** One Server-Sent Event around JSON. */
export function sseText(event: string | undefined, json: JsonObject): string {
  const name = event === undefined ? '' : `event: ${event}\n`
  return `${name}data: ${JSON.stringify(json)}\n\n`
}

/** The data of one Server-Sent Event of one line. */
export function sseData(text: string): string {
  return text.slice(text.indexOf('data: ') + 'data: '.length).trimEnd()
}

/** The object that a JSON text holds; `undefined` where it is something else, or no JSON. */
export function parseObject(text: string | undefined): JsonObject | undefined {
  try {
    const json: JsonValue = JSON.parse(text ?? '')
    return isRecord(json) ? json : undefined
  } catch {
    return undefined
  }
}

const USAGE_MEMBERS = [
  'usage',
  'usageMetadata',
  'amazon-bedrock-invocationMetrics',
  'prompt_eval_count',
  'eval_count',
]
/** Where formats put the answer into an event of their stream. */
const ANSWER_MEMBERS = ['message', 'response', 'delta']

/** The same answer or event, silent about usage. */
export function withoutUsage(json: JsonObject): JsonObject {
  const silent: JsonObject = {}
  for (const [name, value] of Object.entries(json)) {
    if (USAGE_MEMBERS.includes(name)) continue
    silent[name] = ANSWER_MEMBERS.includes(name) && isRecord(value) ? withoutUsage(value) : value
  }
  return silent
}
