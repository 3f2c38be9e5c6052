import { constants, deflateRawSync } from 'node:zlib'

const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
/** A final deflate block without content, where all others said that more would follow. */
const LAST_BLOCK = Uint8Array.of(3, 0)

export type GzipFrames = {
  /** Compresses and flushes, so that a reader can have the bytes at once. */
  add(bytes: Uint8Array): Uint8Array
  /** What stands behind the last frame. */
  end(): Uint8Array
}

/** One gzip member made frame by frame, without waiting for a stream's events. */
export function createGzipFrames(): GzipFrames {
  let checksum = 0
  let sizeBytes = 0
  let started = false

  function header(): Uint8Array {
    const bytes = started ? new Uint8Array(0) : HEADER
    started = true
    return bytes
  }

  return {
    add(bytes) {
      checksum = Bun.hash.crc32(bytes, checksum)
      sizeBytes += bytes.length
      const block = deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH })
      return Buffer.concat([header(), block])
    },

    end() {
      const trailer = Buffer.alloc(8)
      trailer.writeUInt32LE(checksum, 0)
      trailer.writeUInt32LE(sizeBytes % 2 ** 32, 4)
      return Buffer.concat([header(), LAST_BLOCK, trailer])
    },
  }
}
