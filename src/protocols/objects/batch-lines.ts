import { countOf, isRecord, recordOf, stringOf } from '../../std/record'

/** A line may be as large as a request. */
const MAX_LINE_BYTES = 64 * 1024 * 1024

/** What the requests of a batch ask for, of one model. */
export type BatchModel = {
  readonly model: string
  readonly requests: number
  /** The most that their input can be: a token has a byte at least. */
  readonly inputTokens: number
  /** What their answers may have where they say how much. */
  readonly outputTokens: number
  /** Requests that don't say it, by how many answers each asks for. */
  readonly unlimited: number
}

/** What is known of a file that could be the input of a batch. */
export type BatchInput = {
  readonly models: readonly BatchModel[]
  /** Why it can't be one, in words. */
  readonly problem?: string | undefined
}

/** One request of a batch: its body, in whichever format. */
export function addBatchRequest(
  models: Map<string, BatchModel>,
  body: unknown,
  bytes: number
): string | undefined {
  const model = stringOf(body, 'model')
  if (!model) return 'a request names no model'
  const before = models.get(model)
  const choices = countOf(body, 'n') ?? 1
  const limit =
    countOf(body, 'max_completion_tokens') ??
    countOf(body, 'max_output_tokens') ??
    countOf(body, 'max_tokens') ??
    countOf(recordOf(body, 'generationConfig'), 'maxOutputTokens')
  models.set(model, {
    model,
    requests: (before?.requests ?? 0) + 1,
    inputTokens: (before?.inputTokens ?? 0) + bytes + OVERHEAD_TOKENS,
    outputTokens: (before?.outputTokens ?? 0) + (limit === undefined ? 0 : limit * choices),
    unlimited: (before?.unlimited ?? 0) + (limit === undefined ? choices : 0),
  })
  return undefined
}

/** What every request may bring along that its body does not show: roles, marks, the model's own instructions. */
const OVERHEAD_TOKENS = 100

/**
 * Reads the lines of a batch's input file while they pass: https://platform.openai.com/docs/guides/batch#1-prepare-your-batch-file
 */
export class BatchLines {
  readonly #models = new Map<string, BatchModel>()
  readonly #decoder = new TextDecoder()
  #rest = ''
  #line = 0
  #problem: string | undefined

  push(chunk: Uint8Array): void {
    if (this.#problem !== undefined) return
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true })
    const lines = text.split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#read(line)
    if (this.#rest.length > MAX_LINE_BYTES) this.#fail('is too long')
  }

  /** All of it has been read. */
  end(): BatchInput {
    this.#read(this.#rest + this.#decoder.decode())
    this.#rest = ''
    if (this.#models.size === 0) this.#problem ??= 'it has no requests'
    return { models: [...this.#models.values()], problem: this.#problem }
  }

  #read(line: string): void {
    this.#line++
    if (this.#problem !== undefined || line.trim() === '') return
    let parsed: unknown
    try {
      parsed = JSON.parse(line)
    } catch {
      return this.#fail('is no JSON')
    }
    if (!isRecord(parsed)) return this.#fail('is no object')
    const problem = addBatchRequest(this.#models, parsed.body, Buffer.byteLength(line))
    if (problem !== undefined) this.#fail(`: ${problem}`)
  }

  #fail(what: string): void {
    this.#problem ??= `line ${this.#line} ${what}`
  }
}
