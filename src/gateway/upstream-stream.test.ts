import { describe, expect, test } from 'bun:test'

import { type ErrorCode, GatewayError } from '../errors/gateway-error'
import { openaiChat } from '../protocols/openai/openai'
import { Deadlines } from '../providers/deadlines'
import { SseFramer } from '../std/sse'
import { MAX_FRAME_BYTES, UpstreamStream } from './upstream-stream'

const SETTINGS = {
  connectMs: 60_000,
  firstByteMs: 60_000,
  betweenFramesMs: 60_000,
  totalMs: 60_000,
}
const START = 'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n'
const CONTENT = 'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
const FINISH = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
const USAGE = 'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n'
const DONE = 'data: [DONE]\n\n'
const COMMENT = ': wait\n\n'

/** A stream of these pieces; `wasCancelled` says whether its upstream was let go. */
function open(pieces: (string | Error)[], end: 'close' | 'stay' = 'close') {
  let cancelled = false
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces.shift()
        if (piece instanceof Error) controller.error(piece)
        else if (piece !== undefined) controller.enqueue(Buffer.from(piece))
        else if (end === 'close') controller.close()
        else return new Promise<void>(() => {})
      },
      cancel() {
        cancelled = true
      },
    },
    { highWaterMark: 0 }
  )
  const request = new TextEncoder().encode('{"model":"m","stream":true}')
  const frames = openaiChat.upstream.createFrameReader(
    openaiChat.client.parseRequest(request, {}),
    {
      model: 'm',
      askForUsage: true,
    }
  )
  const deadlines = new Deadlines('sim', SETTINGS, performance.now(), false)
  const stream = new UpstreamStream({ body }, new SseFramer(), frames, deadlines)
  return { stream, deadlines, wasCancelled: () => cancelled }
}

/** All that a stream gives, and the code of what broke it. */
async function readAll(
  stream: UpstreamStream
): Promise<{ parts: string[]; failure: string | undefined }> {
  const parts: string[] = []
  try {
    for (let next = await stream.next(); next; next = await stream.next())
      parts.push(Buffer.from(next).toString())
  } catch (error) {
    return { parts, failure: GatewayError.from(error).code }
  }
  return { parts, failure: undefined }
}

describe('UpstreamStream', () => {
  test('gives whole frames as they complete, without what only the gateway asked for', async () => {
    const { stream } = open([START, CONTENT.slice(0, 20), CONTENT.slice(20) + FINISH, USAGE, DONE])
    expect(await readAll(stream)).toEqual({
      parts: [START, CONTENT + FINISH, DONE],
      failure: undefined,
    })
    expect(stream.facts).toMatchObject({ finishReasons: ['stop'], usage: { inputTokens: 1 } })
  })

  test('gives a chunk of whole frames as the very bytes that came', async () => {
    const chunk = new TextEncoder().encode(CONTENT + FINISH)
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(chunk)
        controller.close()
      },
    })
    const request = new TextEncoder().encode('{"model":"m","stream":true}')
    const envelope = openaiChat.client.parseRequest(request, {})
    const frames = openaiChat.upstream.createFrameReader(envelope, {
      model: 'm',
      askForUsage: false,
    })
    const deadlines = new Deadlines('sim', SETTINGS, performance.now(), false)
    expect(await new UpstreamStream({ body }, new SseFramer(), frames, deadlines).next()).toBe(
      chunk
    )
  })

  test('drops comments until the answer has begun, and passes them on from then', async () => {
    const { stream } = open([COMMENT, START, COMMENT, CONTENT, COMMENT, FINISH])
    expect((await readAll(stream)).parts).toEqual([START, CONTENT, COMMENT, FINISH])
  })

  test('reads up to the first content', async () => {
    const { stream } = open([COMMENT, START, START, CONTENT + FINISH, DONE])
    const held = await stream.readToContent()
    expect(held.map((bytes) => Buffer.from(bytes).toString())).toEqual([
      START,
      START,
      CONTENT + FINISH,
    ])
    expect(stream.hasContent).toBe(true)
    expect((await readAll(stream)).parts).toEqual([DONE])
  })

  test('holds no more than a frame may have of an answer that never begins', async () => {
    const filler = `data: {"choices":[],"filler":"${'x'.repeat(100_000)}"}\n\n`
    const { stream } = open(Array(100).fill(filler))
    expect((await stream.readToContent()).length).toBeLessThan(15)
  })

  test('ends with its end mark, and lets go of an upstream that does not', async () => {
    const { stream, wasCancelled } = open([CONTENT, FINISH + DONE + CONTENT], 'stay')
    expect(await readAll(stream)).toEqual({ parts: [CONTENT, FINISH + DONE], failure: undefined })
    expect(stream.isDone).toBe(true)
    for (let tries = 0; !wasCancelled() && tries < 500; tries++) await Bun.sleep(10)
    expect(wasCancelled()).toBe(true)
  })

  test.each<[string, (string | Error)[], string[], ErrorCode | undefined]>([
    ['nothing', [], [], 'upstream_broken'],
    ['an end before the finish', [CONTENT], [CONTENT], 'upstream_broken'],
    ['half a frame', [CONTENT, FINISH.slice(0, 30)], [CONTENT], 'upstream_broken'],
    [
      'half a frame behind the finish',
      [CONTENT + FINISH, USAGE.slice(0, 30)],
      [CONTENT + FINISH],
      undefined,
    ],
    [
      'a last frame without its blank line',
      [CONTENT, FINISH.trimEnd()],
      [CONTENT, FINISH],
      undefined,
    ],
    ['a reset', [CONTENT, new Error('reset')], [CONTENT], 'upstream_broken'],
    [
      'a reset behind the finish',
      [CONTENT + FINISH, new Error('reset')],
      [CONTENT + FINISH],
      undefined,
    ],
    [
      'a malformed frame',
      [CONTENT + 'data: {\n\n' + CONTENT + DONE],
      [CONTENT],
      'upstream_malformed',
    ],
    [
      'an error frame',
      [CONTENT, 'data: {"error":{"message":"x"}}\n\n', DONE],
      [CONTENT],
      'upstream_refused',
    ],
    [
      'an error frame without its blank line',
      [CONTENT, 'data: {"error":{"message":"x"}}'],
      [CONTENT],
      'upstream_refused',
    ],
  ])('with %s ends as it must', async (_, pieces, parts, failure) => {
    expect(await readAll(open(pieces).stream)).toEqual({ parts, failure })
  })

  test.each([
    ['in one piece', (frame: string) => [frame]],
    [
      'that never ends',
      (frame: string) => Array.from({ length: 64 }, () => frame.slice(0, 32 * 1024)),
    ],
  ])('breaks on a frame too large, %s, and lets go of the upstream', async (_, cut) => {
    const frame = `data: {"choices":[],"x":"${'x'.repeat(MAX_FRAME_BYTES)}"}\n\n`
    const { stream, wasCancelled } = open([CONTENT, ...cut(frame)], 'stay')
    expect(await readAll(stream)).toEqual({ parts: [CONTENT], failure: 'upstream_too_large' })
    expect(wasCancelled()).toBe(true)
  })

  test('says what ended it where a deadline did', async () => {
    const { stream, deadlines } = open([CONTENT, new Error('aborted')])
    await stream.next()
    deadlines.tick(performance.now() + 70_000)
    expect((await readAll(stream)).failure).toBe('upstream_timeout')
  })

  test('moves its deadline with frames and not with comments', async () => {
    const { stream, deadlines } = open([CONTENT, COMMENT, COMMENT, CONTENT], 'stay')
    await stream.next()
    const beforeMs = performance.now()
    await stream.next()
    await Bun.sleep(20)
    await stream.next()
    // Due a minute after the second read began, not after the third did.
    deadlines.tick(beforeMs + SETTINGS.betweenFramesMs - 5)
    expect(deadlines.signal.aborted).toBe(false)
    deadlines.tick(beforeMs + SETTINGS.betweenFramesMs + 15)
    expect(deadlines.signal.aborted).toBe(true)
  })
})
