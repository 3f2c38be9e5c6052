import { constants, type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'

/** A content that is larger goes to a file. */
export const HELD_BYTES = 1024 * 1024
const PIECE_BYTES = 64 * 1024
const BEGINNING_BYTES = 4 * 1024

/** Opens a new file that nobody else sees, to be written and read again. Rejects as the file system does. */
export type OpenFile = (directory: string) => Promise<FileHandle>

/**
 * Bytes that come once and are read any number of times: in memory where they are few, else in a file without a name,
 * which is gone with its process at the latest.
 */
export class Spool {
  readonly #directory: string
  readonly #openFile: OpenFile
  #held: Uint8Array[] = []
  #heldBytes = 0
  #beginning: Uint8Array = new Uint8Array()
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
    if (this.#beginning.length < BEGINNING_BYTES) this.#keepBeginning(bytes)
    if (this.#file === undefined && this.#heldBytes + bytes.length <= HELD_BYTES) {
      this.#held.push(bytes.slice())
      this.#heldBytes += bytes.length
      return
    }
    this.#file ??= await this.#openFile(this.#directory)
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    try {
      for (const earlier of held) await this.#write(this.#file, earlier)
      await this.#write(this.#file, bytes)
    } finally {
      // A handle that is only collected ends the process.
      if (this.#isDisposed) await this.#close()
    }
  }

  /** The first bytes, some thousands at most. */
  beginning(): Uint8Array {
    return this.#beginning
  }

  /** All bytes, in pieces. Those of a file are made anew for each piece. */
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

  #keepBeginning(bytes: Uint8Array): void {
    const room = BEGINNING_BYTES - this.#beginning.length
    this.#beginning = Buffer.concat([this.#beginning, bytes.subarray(0, room)])
  }

  async #write(file: FileHandle, bytes: Uint8Array): Promise<void> {
    let from = 0
    while (from < bytes.length) {
      const { bytesWritten } = await file.write(bytes, from, bytes.length - from, this.#fileBytes)
      this.#fileBytes += bytesWritten
      from += bytesWritten
    }
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
