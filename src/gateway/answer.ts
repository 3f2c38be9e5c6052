import type { GatewayError } from '../errors/gateway-error'
import type { AnswerFacts } from '../protocols/protocol'
import type { AnswerHeaders } from '../providers/upstream-response'

/** An attempt that brought an answer: read to its end, or as far as its first meaningful frame. */
export type UpstreamAnswer = WholeAnswer | StreamedAnswer

export type WholeAnswer = {
  kind: 'whole'
  status: number
  /** The upstream's headers that may pass. */
  headers: Record<string, string>
  body: Uint8Array
  facts: AnswerFacts
}

export type StreamedAnswer = {
  kind: 'stream'
  headers: Record<string, string>
  stream: AnswerStream
  /** What came up to the first meaningful frame. */
  held: Uint8Array[]
  attempt: OpenAttempt
}

/** An answer's frames for its client, one read after the other; `UpstreamStream` is one. */
export type AnswerStream = {
  readonly hasContent: boolean
  readonly isDone: boolean
  /** `undefined` where nobody answers any more, and what was said is settled. */
  readonly facts: AnswerFacts | undefined
  next(): Promise<Uint8Array | undefined>
  cancel(): void
}

/** An attempt whose stream goes on behind the head; closed once, with how it ended. */
export type OpenAttempt = {
  /** Looks after its deadlines while a frame is awaited. */
  tick(nowMs: number): void
  /** Ends the upstream's work for a reason, e.g. that the client has left. */
  abort(reason: GatewayError): void
  close(error: GatewayError | undefined, facts?: AnswerFacts | undefined): void
  /** What must have ended before the request does, once it is aborted; never rejects. */
  readonly pending?: Promise<void> | undefined
}

/**
 * What of an upstream's headers concerns the client, by the names that its format knows. Cookies, hop-by-hop
 * headers, encodings and the provider's own request id are none of them: the first three are not the client's,
 * the last is logged.
 */
export function passHeaders(
  headers: AnswerHeaders,
  names: readonly string[]
): Record<string, string> {
  const passed: Record<string, string> = {}
  for (const name of names) {
    const value = headers.get(name)
    if (value !== null) passed[name] = value
  }
  return passed
}

/** Throws for an answer to a request that is not streamed: `attempt` sees to it that there is none. */
export function toStreamed(answer: UpstreamAnswer): StreamedAnswer {
  if (answer.kind === 'stream') return answer
  throw new Error('a streamed request was answered whole')
}
