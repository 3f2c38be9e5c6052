import { deflateSync } from 'node:zlib'
import { seedOf } from './seed'

const SIDE = 8

/** A small picture as PNG, of one colour that the text decides. */
export function drawPicture(text: string): Uint8Array {
  const seed = seedOf(text)
  const row = [
    0,
    ...Array.from({ length: SIDE }, () => [
      seed & 255,
      (seed >> 8) & 255,
      (seed >> 16) & 255,
    ]).flat(),
  ]
  const pixels = Buffer.from(Array.from({ length: SIDE }, () => row).flat())
  const header = Buffer.alloc(13)
  header.writeUInt32BE(SIDE, 0)
  header.writeUInt32BE(SIDE, 4)
  // Eight bits a channel, three channels.
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** https://www.w3.org/TR/png-3/#5Chunk-layout */
function chunk(type: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const named = Buffer.concat([Buffer.from(type), data])
  const check = Buffer.alloc(4)
  check.writeUInt32BE(Bun.hash.crc32(named))
  return Buffer.concat([length, named, check])
}
