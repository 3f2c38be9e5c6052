import type { CountAnswer, CountQuestion } from './token-messages'

/** English text of today's tokenizers; code and other scripts take more. */
const BYTES_A_TOKEN = 4
/** The first count waits for the vocabulary to be read, some tenths of a second. */
const DEADLINE_MS = 1_500
/** The vocabulary takes tens of megabytes: a thread that nobody asks gives them back. */
const IDLE_MS = 60_000
/** Texts that wait; beyond them an estimate by size serves. */
const MAX_WAITING = 256

/** Counts tokens that no provider counted, away from the requests' thread. */
export type TokenEstimator = {
  /**
   * How many tokens each text takes, about: by a tokenizer, or by its size (a quarter of its bytes) where that has no
   * answer within 1.5 s or too many wait. Never rejects.
   */
  count(texts: readonly string[]): Promise<readonly number[]>
  close(): void
}

export function createTokenEstimator(): TokenEstimator {
  return new WorkerEstimator()
}

class WorkerEstimator implements TokenEstimator {
  readonly #waiting = new Map<number, (counts: readonly number[] | undefined) => void>()
  #worker: Worker | undefined
  #lastId = 0
  #idle: ReturnType<typeof setTimeout> | undefined

  async count(texts: readonly string[]): Promise<readonly number[]> {
    if (texts.every((text) => text === '')) return texts.map(() => 0)
    if (this.#waiting.size >= MAX_WAITING) return texts.map(countBySize)
    return (await this.#ask(texts)) ?? texts.map(countBySize)
  }

  close(): void {
    clearTimeout(this.#idle)
    this.#idle = undefined
    this.#worker?.terminate()
    this.#worker = undefined
    for (const settle of [...this.#waiting.values()]) settle(undefined)
  }

  #ask(texts: readonly string[]): Promise<readonly number[] | undefined> {
    this.#lastId++
    const question: CountQuestion = { id: this.#lastId, texts }
    const { promise, resolve } = Promise.withResolvers<readonly number[] | undefined>()
    const deadline = setTimeout(() => this.#settle(question.id, undefined), DEADLINE_MS)
    this.#waiting.set(question.id, (counts) => {
      clearTimeout(deadline)
      this.#waiting.delete(question.id)
      resolve(counts)
    })
    this.#start()
    this.#worker?.postMessage(question)
    return promise
  }

  #settle(id: number, counts: readonly number[] | undefined): void {
    this.#waiting.get(id)?.(counts)
  }

  #start(): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.close(), IDLE_MS)
    this.#idle.unref()
    if (this.#worker) return
    const worker = new Worker(workerUrl(), { smol: true })
    worker.unref()
    worker.addEventListener('message', ({ data }: MessageEvent<CountAnswer>) =>
      this.#settle(data.id, data.counts)
    )
    // Whoever waits gets an estimate by size, and the next one a new thread.
    worker.addEventListener('error', () => this.close())
    worker.addEventListener('close', () => {
      if (this.#worker === worker) this.close()
    })
    this.#worker = worker
  }
}

/** A quarter of the UTF-8 bytes. */
export function countBySize(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_A_TOKEN)
}

/** In the executable the thread's code lies beside its own, under its place below `src`. */
function workerUrl(): string {
  const path = Bun.isStandaloneExecutable ? './pricing/token-worker.js' : './token-worker.ts'
  return new URL(path, import.meta.url).href
}
