/** What callers of a model have cost so far, as parts of their worst cases. */
type Learned = { seen: number; mean: number; deviation: number }

/** Before so many nothing is taken to be known. */
const FEW = 10
/** How much the newest counts, as in the estimate of a round trip: https://www.rfc-editor.org/rfc/rfc6298#section-2 */
const MEAN_GAIN = 1 / 8
const DEVIATION_GAIN = 1 / 4
const DEVIATIONS = 4
/** Callers and models that are remembered; the one that was learned of the longest ago goes. */
const MANY = 10_000

/** Learns what requests of a caller and a model will likely cost of their worst case, in memory. */
export class Expectations {
  readonly #learned = new Map<string, Learned>()

  /** What a request will likely take of its worst case: all of it while little is known. Both in nano-USD. */
  expect(keyId: string | undefined, model: string, worst: number): number {
    const learned = this.#learned.get(nameOf(keyId, model))
    if (learned === undefined || learned.seen < FEW) return worst
    const part = Math.min(1, learned.mean + DEVIATIONS * learned.deviation)
    return Math.ceil(part * worst)
  }

  /** A request has cost so much of its worst case, both in nano-USD. */
  learn(keyId: string | undefined, model: string, worst: number, cost: number): void {
    if (worst <= 0) return
    const name = nameOf(keyId, model)
    const part = Math.min(1, cost / worst)
    const known = this.#learned.get(name)
    this.#learned.delete(name)
    this.#learned.set(name, known ? learnMore(known, part) : { ...FIRST, mean: part })
    const [oldest] = this.#learned.size > MANY ? this.#learned.keys() : []
    if (oldest !== undefined) this.#learned.delete(oldest)
  }
}

const FIRST: Learned = { seen: 1, mean: 0, deviation: 0 }

function learnMore({ seen, mean, deviation }: Learned, part: number): Learned {
  const away = Math.abs(part - mean)
  return {
    seen: seen + 1,
    mean: mean + MEAN_GAIN * (part - mean),
    deviation: deviation + DEVIATION_GAIN * (away - deviation),
  }
}

function nameOf(keyId: string | undefined, model: string): string {
  return `${keyId ?? ''}\n${model}`
}
