import { UpstreamStream } from '../../src/gateway/upstream-stream'
import type { Envelope } from '../../src/protocols/envelope'
import { CompletionFrameReader } from '../../src/protocols/openai/frames'
import { parseRequest } from '../../src/protocols/openai/request'
import { Deadlines } from '../../src/providers/deadlines'
import { SseFramer } from '../../src/std/sse'
import { createAsyncPiece, createPiece, inTurn, type Piece } from './piece'

const FRAMES = 1_000
const CHANGES = { model: 'gpt-4o-mini', askForUsage: true }
const DEADLINES = {
  connectMs: 10_000,
  firstByteMs: 300_000,
  betweenFramesMs: 120_000,
  totalMs: 1_800_000,
}

/** A stream on its way through: each frame cut out, read and passed on. */
export function createRelayPieces(): Piece[] {
  const envelope = parseRequest(
    'generate',
    Buffer.from('{"model":"openai/gpt-4o-mini","messages":[],"stream":true}'),
    {}
  )
  const frames = Array.from({ length: FRAMES }, (_, number) => contentFrame(number))
  const framer = new SseFramer()
  const reader = new CompletionFrameReader(envelope, CHANGES)
  const freshFrame = inTurn(frames)
  return [
    createPiece({
      work: 'SSE relay: one frame cut and read',
      budgetMicros: 5,
      fresh: freshFrame,
      run: (bytes) => framer.push(bytes).map(({ data }) => reader.read(data)),
    }),
    createAsyncPiece({
      work: `SSE relay: a stream of ${FRAMES} frames`,
      budgetMicros: 4_000,
      fresh: () => streamOf([...frames, ...LAST_FRAMES]),
      run: (body) => readToEnd(body, envelope),
    }),
  ]
}

/** Gives the bytes that would go on to the client. */
async function readToEnd(body: ReadableStream<Uint8Array>, envelope: Envelope): Promise<number> {
  const stream = new UpstreamStream(
    { body },
    new SseFramer(),
    new CompletionFrameReader(envelope, CHANGES),
    new Deadlines('openai', DEADLINES, performance.now(), false)
  )
  let sizeBytes = 0
  for (;;) {
    const bytes = await stream.next()
    if (!bytes) return sizeBytes
    sizeBytes += bytes.length
  }
}

/** A chunk a frame, as an upstream that writes each token gives them. */
function streamOf(frames: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  let next = 0
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const frame = frames[next++]
        if (frame) controller.enqueue(frame)
        else controller.close()
      },
    },
    { highWaterMark: 0 }
  )
}

const LAST_FRAMES = [
  frame({ ...chunkOf([{ index: 0, delta: {}, finish_reason: 'stop' }]) }),
  frame({ ...chunkOf([]), usage: { prompt_tokens: 14, completion_tokens: 1_000 } }),
  Buffer.from('data: [DONE]\n\n'),
]

function contentFrame(number: number): Uint8Array {
  const delta = { content: ` token${number}` }
  return frame(chunkOf([{ index: 0, delta, logprobs: null, finish_reason: null }]))
}

function chunkOf(choices: unknown[]) {
  return {
    id: 'chatcmpl-abc',
    object: 'chat.completion.chunk',
    created: 1732230000,
    model: 'gpt-4o-mini-2024-07-18',
    system_fingerprint: 'fp_0123',
    choices,
  }
}

function frame(value: unknown): Uint8Array {
  return Buffer.from(`data: ${JSON.stringify(value)}\n\n`)
}
