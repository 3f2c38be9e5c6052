/** What is kept of uploads and batches: the newest, for each credential its own. */
export type StoredFile = {
  readonly id: string
  readonly credential: string
  readonly filename: string
  readonly purpose: string
  readonly bytes: Uint8Array
}

export type StoredBatch = {
  readonly id: string
  readonly credential: string
  /** The state of each look at it, the last one for good. */
  readonly states: readonly object[]
  /** Of Anthropic's, whose results have no file. */
  readonly results: string
  looks: number
}

const MOST = 1_000

/** Keeps what is uploaded and made, in memory. */
export class ObjectStore {
  readonly #files = new Map<string, StoredFile>()
  readonly #batches = new Map<string, StoredBatch>()

  addFile(file: Omit<StoredFile, 'id'>, prefix = 'file-sim'): StoredFile {
    const added = { ...file, id: `${prefix}${crypto.randomUUID().replaceAll('-', '')}` }
    return keep(this.#files, added)
  }

  addBatch(batch: StoredBatch): StoredBatch {
    return keep(this.#batches, batch)
  }

  file(id: string, credential: string): StoredFile | undefined {
    const found = this.#files.get(id)
    return found?.credential === credential ? found : undefined
  }

  files(credential: string): StoredFile[] {
    return [...this.#files.values()].filter((file) => file.credential === credential)
  }

  batch(id: string, credential: string): StoredBatch | undefined {
    const found = this.#batches.get(id)
    return found?.credential === credential ? found : undefined
  }

  removeFile(id: string): void {
    this.#files.delete(id)
  }
}

function keep<Kept extends { readonly id: string }>(all: Map<string, Kept>, one: Kept): Kept {
  all.set(one.id, one)
  const [oldest] = all.keys()
  if (all.size > MOST && oldest !== undefined) all.delete(oldest)
  return one
}
