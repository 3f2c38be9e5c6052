/** Headers of an answer; names in any case. Bun's own `Headers` are such. */
export type AnswerHeaders = {
  get(name: string): string | null
  has(name: string): boolean
}

/** Reads a body piece by piece; `cancel` lets go of the upstream. */
export type BodyReader = {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>
  cancel(): Promise<void>
}

/**
 * What an upstream answered, its head here and its body to come: read it by one of both ways, to its end, or cancel it.
 * Bun's `Response` is one.
 */
export type UpstreamResponse = {
  readonly status: number
  /** The status is a 2xx. */
  readonly ok: boolean
  /** The reason phrase: empty over HTTP/2. */
  readonly statusText: string
  readonly headers: AnswerHeaders
  readonly body: { getReader(): BodyReader } | null
  bytes(): Promise<Uint8Array>
}

/** For a body that is not there too. */
export function readerOf({ body }: Pick<UpstreamResponse, 'body'>): BodyReader {
  return (body ?? new Blob([]).stream()).getReader()
}

/** The pieces of a body as they come. Leaving the loop cancels it. */
export async function* piecesOf(
  response: Pick<UpstreamResponse, 'body'>
): AsyncGenerator<Uint8Array> {
  const reader = readerOf(response)
  let isDone = false
  try {
    for (;;) {
      const { value } = await reader.read()
      isDone = value === undefined
      if (value === undefined) return
      yield value
    }
  } finally {
    if (!isDone) reader.cancel().catch(() => {})
  }
}
