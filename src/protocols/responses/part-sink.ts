import type { TokenLogprob } from '../answer'
import type { Citation, Part, Signature } from '../generation'
import type { PartFacts, StreamEvent } from '../stream-event'

/** Gathers the neutral events of one answer's parts, which it numbers. */
export class PartSink {
  /** The parts as they began, in order. */
  readonly started: Part[] = []
  #events: StreamEvent[] = []

  /** The events since the last call. */
  take(): StreamEvent[] {
    const events = this.#events
    this.#events = []
    return events
  }

  push(...events: StreamEvent[]): void {
    this.#events.push(...events)
  }

  /** Begins a part; gives its index. */
  start(part: Part): number {
    const index = this.started.push(part) - 1
    this.push({ type: 'part_start', choice: 0, index, part })
    return index
  }

  delta(index: number, text: string): void {
    if (text !== '') this.push({ type: 'delta', choice: 0, index, text })
  }

  cite(index: number, citation: Citation): void {
    this.push({ type: 'citation', choice: 0, index, citation })
  }

  /** What became known of a part since it began. */
  facts(index: number, facts: PartFacts & { signature?: Signature | undefined }): void {
    const { signature, ...others } = facts
    if (signature) this.push({ type: 'signature', choice: 0, index, signature })
    if (Object.keys(others).length > 0)
      this.push({ type: 'part_facts', choice: 0, index, facts: others })
  }

  logprobs(tokens: TokenLogprob[]): void {
    if (tokens.length > 0) this.push({ type: 'logprobs', choice: 0, tokens })
  }

  end(index: number): void {
    this.push({ type: 'part_end', choice: 0, index })
  }
}
