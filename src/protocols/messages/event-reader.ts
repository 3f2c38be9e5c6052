import { GatewayError } from '../../errors/gateway-error'
import { stringOf } from '../../std/record'
import type { Finish } from '../answer'
import type { EventReader } from '../chat-protocol'
import type { NativePart, Part } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { StreamEvent } from '../stream-event'
import { parseFinish } from './answer'
import { parseBlock, parseCitation } from './blocks-parse'
import { parseEvent } from './frames'
import { asObject, ownSource } from './own'
import { parseUsage } from './usage'

type OpenBlock = { index: number; part: Part; input: string }

/**
 * Reads the events of a streamed message.
 * https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export class MessageEventReader implements EventReader {
  readonly #blocks = new Map<number, OpenBlock>()
  #parts = 0
  #finish: Finish | undefined
  #hasStarted = false
  #hasEnded = false

  read(data: string): StreamEvent[] {
    const event = parseEvent(data)
    if (this.#hasEnded) return []
    switch (event.type) {
      case 'message_start':
        return this.#start(asObject(event.message) ?? {})
      case 'content_block_start':
        return this.#open(numberOf(event.index), asObject(event.content_block) ?? {})
      case 'content_block_delta':
        return this.#grow(numberOf(event.index), asObject(event.delta) ?? {})
      case 'content_block_stop':
        return this.#close(numberOf(event.index))
      case 'message_delta':
        return this.#delta(event)
      case 'message_stop':
        return this.#stop()
      default:
        return []
    }
  }

  end(): StreamEvent[] {
    if (this.#hasEnded) return []
    throw new GatewayError(
      'upstream_broken',
      'the provider ended its stream before the answer was finished'
    )
  }

  /** A second one, as hosts splice them in behind tools of their own, starts no second message. */
  #start(message: JsonObject): StreamEvent[] {
    const events: StreamEvent[] = this.#hasStarted
      ? []
      : [{ type: 'start', id: stringOf(message, 'id'), model: stringOf(message, 'model') }]
    this.#hasStarted = true
    return [...events, ...usageOf(message.usage)]
  }

  #open(at: number, block: JsonObject): StreamEvent[] {
    const index = this.#parts++
    const part = withoutInput(parseBlock(block, 'content'), block)
    this.#blocks.set(at, { index, part, input: '' })
    return [{ type: 'part_start', choice: 0, index, part }]
  }

  #grow(at: number, delta: JsonObject): StreamEvent[] {
    const open = this.#blocks.get(at)
    if (open === undefined) return []
    const place = { choice: 0, index: open.index }
    const text = stringOf(delta, 'text') ?? stringOf(delta, 'thinking')
    if (text !== undefined) return [{ type: 'delta', ...place, text }]
    const input = stringOf(delta, 'partial_json')
    if (input !== undefined) {
      open.input += input
      return open.part.type === 'tool_call' && input !== ''
        ? [{ type: 'delta', ...place, text: input }]
        : []
    }
    const signature = stringOf(delta, 'signature')
    if (signature !== undefined)
      return [{ type: 'signature', ...place, signature: { maker: 'anthropic', value: signature } }]
    const { citation } = delta
    const [parsed] = citation === undefined ? [] : parseCitation(citation)
    return parsed === undefined ? [] : [{ type: 'citation', ...place, citation: parsed }]
  }

  #close(at: number): StreamEvent[] {
    const open = this.#blocks.get(at)
    if (open === undefined) return []
    this.#blocks.delete(at)
    const { index, part, input } = open
    const end: StreamEvent = { type: 'part_end', choice: 0, index }
    // No deltas at all are no arguments.
    if (part.type === 'tool_call' && input === '')
      return [{ type: 'delta', choice: 0, index, text: '{}' }, end]
    if (part.type !== 'native' || input === '') return [end]
    return [{ type: 'part_facts', choice: 0, index, facts: withInput(part, input) }, end]
  }

  #delta(event: JsonObject): StreamEvent[] {
    const delta = asObject(event.delta) ?? {}
    if (stringOf(delta, 'stop_reason') !== undefined) this.#finish = parseFinish(delta)
    return usageOf(event.usage)
  }

  #stop(): StreamEvent[] {
    const open = [...this.#blocks.keys()].flatMap((at) => this.#close(at))
    this.#hasEnded = true
    const finish = this.#finish ?? { reason: 'unknown' as const, native: '' }
    return [...open, { type: 'finish', choice: 0, finish }, { type: 'end' }]
  }
}

function usageOf(json: JsonValue | undefined): StreamEvent[] {
  const usage = parseUsage(json)
  return usage ? [{ type: 'usage', usage }] : []
}

/** A block's start holds `{}` where its input is yet to come. */
function withoutInput(part: Part, block: JsonObject): Part {
  if (part.type === 'native') return part
  if (part.type === 'tool_call') {
    const isEmpty = Object.keys(asObject(block.input) ?? {}).length === 0
    return { ...part, arguments: isEmpty ? '' : part.arguments, source: undefined }
  }
  // What the block becomes is not what it was read from.
  return part.type === 'text' || part.type === 'reasoning' ? { ...part, source: undefined } : part
}

function withInput(part: NativePart, input: string): { source: NativePart['source'] } {
  const block = asObject(part.source.json) ?? {}
  return { source: ownSource({ ...block, input: parseInput(input) }) }
}

function parseInput(input: string): JsonValue {
  try {
    const value: JsonValue = JSON.parse(input)
    return value
  } catch {
    return input
  }
}

function numberOf(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0
}
