import { openaiChat } from '../../src/protocols/openai/openai'
import { bedrockConverse } from '../../src/protocols/bedrock/bedrock'
import type { AnswerContext, ChatProtocol } from '../../src/protocols/chat-protocol'
import { gemini } from '../../src/protocols/gemini/gemini'
import type { JsonObject } from '../../src/protocols/json'
import { Losses } from '../../src/protocols/losses'
import { anthropicMessages } from '../../src/protocols/messages/messages'
import { openaiResponses } from '../../src/protocols/responses/responses'
import type { StreamEvent } from '../../src/protocols/stream-event'
import { NO_USAGE } from '../../src/protocols/usage'
import { chat } from './body-scan'
import { createPiece, inTurn, type Piece } from './piece'

const FORMATS = [openaiChat, openaiResponses, anthropicMessages, gemini, bedrockConverse]
const VARIANTS = 32
const FRAMES = 1_000
const BODY_BYTES = 4_000
const TARGET = { model: 'claude-sonnet-4-5', stream: true }
const decoder = new TextDecoder()

/** A chat told in another format: its request of 4 KB as bytes, and the frames of its answer. */
export function createTranslationPieces(): Piece[] {
  const toUpstreams = FORMATS.filter((format) => format !== openaiChat)
  return [
    ...toUpstreams.map((upstream) => requestPiece(openaiChat, upstream)),
    requestPiece(anthropicMessages, openaiChat),
    ...toUpstreams.map((upstream) => streamPiece(openaiChat, upstream)),
    streamPiece(anthropicMessages, openaiChat),
  ]
}

function requestPiece(client: ChatProtocol, upstream: ChatProtocol): Piece {
  const bodies: Uint8Array[] = Array.from({ length: VARIANTS }, (_, variant) =>
    bodyOf(client, variant)
  )
  return createPiece<Uint8Array>({
    work: `request of 4 KB, ${client.dialect} to ${upstream.dialect}`,
    budgetMicros: 40,
    fresh: inTurn(bodies),
    run(body) {
      const json: JsonObject = JSON.parse(decoder.decode(body))
      const generation = client.chat.parseGeneration(json, {})
      return JSON.stringify(upstream.chat.renderGeneration(generation, TARGET, new Losses()))
    },
  })
}

function bodyOf(client: ChatProtocol, variant: number): Uint8Array {
  const body = chat(BODY_BYTES, variant)
  if (client === openaiChat) return body
  const json: JsonObject = JSON.parse(decoder.decode(body))
  const generation = openaiChat.chat.parseGeneration(json, {})
  return Buffer.from(JSON.stringify(client.chat.renderGeneration(generation, TARGET, new Losses())))
}

const EVENTS: StreamEvent[] = [
  { type: 'start', id: 'answer-1', model: 'm', createdAt: 1_750_000_000 },
  { type: 'part_start', choice: 0, index: 0, part: { type: 'text', text: '' } },
  ...Array.from({ length: FRAMES }, (_, number): StreamEvent => ({
    type: 'delta',
    choice: 0,
    index: 0,
    text: ` token${number}`,
  })),
  { type: 'part_end', choice: 0, index: 0 },
  { type: 'finish', choice: 0, finish: { reason: 'stop', native: 'stop' } },
  { type: 'usage', usage: { ...NO_USAGE, inputTokens: 10, outputTokens: FRAMES } },
  { type: 'end' },
]

function streamPiece(client: ChatProtocol, upstream: ChatProtocol): Piece {
  const json: JsonObject = JSON.parse(decoder.decode(chat(BODY_BYTES, 0)))
  const context: AnswerContext = {
    requestId: '01a20578-8103-7792-94ed-a0150d8c80bb',
    createdAt: 1_750_000_000,
    model: 'm',
    request: openaiChat.chat.parseGeneration(json, {}),
  }
  const writer = upstream.chat.createFrameWriter(context, new Losses())
  const frames = EVENTS.map((event) => writer.write([event]))
  return createPiece({
    work: `stream of ${FRAMES} frames, ${upstream.dialect} to ${client.dialect}`,
    budgetMicros: 30 * FRAMES,
    fresh: () => frames,
    run(chunks) {
      const framer = upstream.upstream.createFramer()
      const reader = upstream.chat.createEventReader()
      const clientFrames = client.chat.createFrameWriter(context, new Losses())
      let sizeBytes = 0
      for (const chunk of chunks)
        for (const { data = '', event } of framer.push(chunk))
          sizeBytes += clientFrames.write(reader.read(data, event)).length
      return sizeBytes + clientFrames.write(reader.end()).length
    },
  })
}
