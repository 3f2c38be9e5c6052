import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { accumulate } from '../../src/protocols/accumulate'
import { anthropicMessages } from '../../src/protocols/messages/messages'
import { bedrockConverse } from '../../src/protocols/bedrock/bedrock'
import { EventStreamEncoder } from '../../src/protocols/bedrock/event-stream'
import type { ChatProtocol } from '../../src/protocols/chat-protocol'
import { cohereChat } from '../../src/protocols/cohere/cohere'
import { gemini } from '../../src/protocols/gemini/gemini'
import type { JsonObject } from '../../src/protocols/json'
import { Losses } from '../../src/protocols/losses'
import { openaiChat } from '../../src/protocols/openai/openai'
import { openaiResponses } from '../../src/protocols/responses/responses'
import { GatewayError } from '../../src/errors/gateway-error'
import { isRecord } from '../../src/std/record'
import { CONTEXT, FORMATS, gist, gistOfStream, readStream } from './formats'

/** Real providers' answers, where they lie: TOLLGATE_RECORDINGS, or beside the project. */
const FOLDER =
  process.env['TOLLGATE_RECORDINGS'] ?? join(import.meta.dir, '../../../shared/data/recordings')

const names = existsSync(FOLDER)
  ? readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).sort()
  : []

/** The format of a whole answer or of a stream's first lines; `undefined` for what is no chat of ours. */
function formatOf(values: readonly JsonObject[]): ChatProtocol | undefined {
  for (const value of values) {
    if (Array.isArray(value.choices)) return isChatChoice(value) ? openaiChat : undefined
    const type = typeof value.type === 'string' ? value.type : ''
    if (type.startsWith('response.') || value.object === 'response') return openaiResponses
    if (type === 'message_start' || (type === 'message' && Array.isArray(value.content)))
      return anthropicMessages
    if (value.candidates !== undefined) return gemini
    if (value.messageStart || value.contentBlockStart || value.contentBlockDelta)
      return bedrockConverse
    if (isRecord(value.output) && isRecord(value.output.message)) return bedrockConverse
    if (type === 'message-start' || (value.finish_reason && isRecord(value.message)))
      return cohereChat
  }
  return undefined
}

function isChatChoice({ choices }: JsonObject): boolean {
  const [choice] = Array.isArray(choices) ? choices : []
  return choice === undefined || (isRecord(choice) && ('message' in choice || 'delta' in choice))
}

function parse(text: string): JsonObject[] {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? [JSON.parse(text)] : []
  } catch {
    return []
  }
}

const linesOf = (name: string) =>
  readFileSync(join(FOLDER, name), 'utf8').split('\n').filter(Boolean)

const eventStream = new EventStreamEncoder()

/** The stream as its provider sent it. */
function toWire(format: ChatProtocol, lines: readonly string[]): Uint8Array {
  return Buffer.concat(
    lines.map((line) => {
      const [value = {}] = parse(line)
      if (format === bedrockConverse) {
        const [name = ''] = Object.keys(value)
        return eventStream.event(name, isRecord(value[name]) ? value[name] : {})
      }
      const isNamed = [anthropicMessages, openaiResponses, cohereChat].includes(format)
      return Buffer.from(`${isNamed ? `event: ${value.type}\n` : ''}data: ${line}\n\n`)
    })
  )
}

const wholes = names
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) => {
    const values = parse(readFileSync(join(FOLDER, name), 'utf8'))
    const [value] = values
    const format = formatOf(values)
    return format && value ? [[name, format, value] as const] : []
  })

const streams = names
  .filter((name) => name.endsWith('.chunks.txt'))
  .flatMap((name) => {
    const format = formatOf(linesOf(name).slice(0, 3).flatMap(parse))
    return format ? [[name, format] as const] : []
  })

/** A provider's failure in a recording is one, however it is read. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'upstream_refused') return undefined
    throw error
  }
}

describe.skipIf(wholes.length === 0)('a recorded answer', () => {
  test.each(wholes)('%s is told to every client', (_name, format, json) => {
    const answer = format.chat.parseChatAnswer(json)
    expect(answer.choices.length).toBeGreaterThan(0)
    for (const client of FORMATS) {
      const rendered = client.chat.renderChatAnswer(answer, CONTEXT, new Losses())
      // To its own format it is what it was.
      if (client === format) expect(JSON.stringify(rendered)).toBe(JSON.stringify(json))
      else expect(client.chat.parseChatAnswer(rendered).choices.length).toBeGreaterThan(0)
    }
  })
})

describe.skipIf(streams.length === 0)('a recorded stream', () => {
  test.each(streams)('%s is read however it is cut, and told to every client', (name, format) => {
    const bytes = toWire(format, linesOf(name))
    const events = attempt(() => readStream(format, bytes, bytes.length))
    if (events === undefined) return
    for (const size of [1, 7, 64]) expect(readStream(format, bytes, size)).toEqual(events)
    for (const client of FORMATS) {
      const losses = new Losses()
      const writer = client.chat.createFrameWriter(CONTEXT, losses)
      const written = Buffer.concat(events.map((event) => writer.write([event])))
      const streamed = gistOfStream(readStream(client, written, written.length))
      const whole = client.chat.renderChatAnswer(accumulate(events), CONTEXT, new Losses())
      const wire: JsonObject = JSON.parse(JSON.stringify(whole))
      expect(streamed).toEqual(gist(client.chat.parseChatAnswer(wire)))
    }
  })
})
