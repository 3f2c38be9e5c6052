import { constants, type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'

/** So much of each content stays in memory; the rest has a file. */
export const HELD_BYTES = 1024 * 1024
const PIECE_BYTES = 64 * 1024

/** Opens a new file that nobody else sees, to be written and read again. Rejects as the file system does. */
export type OpenFile = (directory: string) => Promise<FileHandle>

/**
 * Bytes that come once and are read any number of times: the first ones in memory, all others in a file without a name,
 * which is gone with its process at the latest.
 */
export class Spool {
  readonly #directory: string
  readonly #openFile: OpenFile
  readonly #held: Uint8Array[] = []
  #heldBytes = 0
  #file: FileHandle | undefined
  #fileBytes = 0
  #isDisposed = false

  constructor(directory: string, openFile: OpenFile = openUnnamed) {
    this.#directory = directory
    this.#openFile = openFile
  }

  get length(): number {
    return this.#heldBytes + this.#fileBytes
  }

  /** Of these, those in memory. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Takes the next bytes, which are not to change. Resolves when more may come; rejects as the file system does. */
  async append(bytes: Uint8Array): Promise<void> {
    const room = this.#file ? 0 : HELD_BYTES - this.#heldBytes
    const held = bytes.subarray(0, room)
    if (held.length > 0) {
      this.#held.push(held.slice())
      this.#heldBytes += held.length
    }
    const rest = bytes.subarray(held.length)
    if (rest.length === 0) return
    this.#file ??= await this.#openFile(this.#directory)
    let from = 0
    while (from < rest.length) {
      const { bytesWritten } = await this.#file.write(
        rest,
        from,
        rest.length - from,
        this.#fileBytes
      )
      this.#fileBytes += bytesWritten
      from += bytesWritten
    }
    if (this.#isDisposed) await this.#close()
  }

  /** The beginning, as far as it is in memory. */
  beginning(): Uint8Array {
    return this.#held[0] ?? new Uint8Array()
  }

  /** All bytes, in pieces. Those of the file are made anew for each piece. */
  async *read(): AsyncGenerator<Uint8Array> {
    yield* this.#held
    for (let from = 0; from < this.#fileBytes;) {
      if (this.#file === undefined) throw new Error('a spool was read after its end')
      const piece = new Uint8Array(Math.min(PIECE_BYTES, this.#fileBytes - from))
      const { bytesRead } = await this.#file.read(piece, 0, piece.length, from)
      if (bytesRead === 0) throw new Error('a spool has lost what was written to it')
      from += bytesRead
      yield piece.subarray(0, bytesRead)
    }
  }

  /** Lets go of everything; its file is gone. */
  async dispose(): Promise<void> {
    this.#isDisposed = true
    await this.#close()
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }
}

/** A file that has no name any more once it is open; where a name can't go before its file, `removeLeftovers` does it. */
async function openUnnamed(directory: string): Promise<FileHandle> {
  const path = join(directory, `spool-${crypto.randomUUID()}`)
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL
  const file = await open(path, flags, 0o600)
  await unlink(path).catch(() => {})
  return file
}
