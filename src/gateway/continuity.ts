import { type ChatProtocol, type FrameWriter } from '../protocols/chat-protocol'
import { takesPrefill } from '../protocols/claude-models'
import { continueGeneration } from '../protocols/continue-generation'
import type { Generation } from '../protocols/generation'
import { Losses } from '../protocols/losses'
import type { FrameReader } from '../protocols/protocol'
import type { Usage } from '../protocols/usage'
import type { Target } from '../routing/target'
import { SplicingWriter } from './splicing-writer'
import { GatheringReader, StreamTrail } from './stream-trail'

/** What the client has been told so far when an answer breaks off. */
type Seam = {
  readonly trail: StreamTrail
  /** Of all that was said so far. */
  readonly usage: Usage | undefined
  readonly saidTokens: number
}

type Gathering = {
  client: ChatProtocol
  upstream: ChatProtocol
  told: { requestId: string; startedAtMs: number; model: string; generation: Generation }
}

/**
 * What goes on from one attempt of a request to the next: the trail of the stream that its client reads. Before the
 * first break each attempt has one of its own, since none of those that failed was heard.
 */
export class Continuity {
  #trail: StreamTrail | undefined
  #seam: Seam | undefined

  /** An answer is gone on with. */
  get isGoingOn(): boolean {
    return this.#seam !== undefined
  }

  /** Of the stream that is read now; `undefined` before there is one. */
  get trail(): StreamTrail | undefined {
    return this.#trail
  }

  /** The stream that another attempt has opened is the one that is read. */
  adopt(other: Continuity): void {
    this.#trail = other.#trail
  }

  /** The answer broke off: what is asked from now on goes on with it. */
  breakOff(trail: StreamTrail, usage: Usage | undefined): void {
    this.#seam = { trail, usage, saidTokens: usage?.outputTokens ?? 0 }
  }

  /** The chat as a target is told of it. */
  toContinued(generation: Generation, { dialect }: ChatProtocol, target: Target): Generation {
    const seam = this.#seam
    if (seam === undefined) return generation
    const isPrefilled =
      (dialect === 'anthropic-messages' || dialect === 'bedrock-converse') &&
      takesPrefill(target.upstreamModel) &&
      generation.reasoning === undefined
    const { trail, saidTokens } = seam
    return continueGeneration(generation, { text: trail.text, saidTokens, isPrefilled })
  }

  /** The writer of a stream that is translated; `create` gives one that begins anew. */
  createWriter(create: () => FrameWriter): FrameWriter {
    if (this.#seam) return new SplicingWriter(this.#seam.trail, this.#seam.usage)
    return (this.#trail = new StreamTrail(create()))
  }

  /** Takes note of frames that pass as they are, by writing the same beside them for nobody. */
  gather(frames: FrameReader, { client, upstream, told }: Gathering): FrameReader {
    const { requestId, startedAtMs, model, generation: request } = told
    const createdAt = Math.floor(startedAtMs / 1_000)
    const context = { requestId, createdAt, model, request }
    this.#trail = new StreamTrail(client.chat.createFrameWriter(context, new Losses()))
    return new GatheringReader(frames, upstream.chat.createEventReader(), this.#trail)
  }
}
