/** `RIFF` and `WAVE`, in ASCII. */
const RIFF = 0x46464952
const WAVE = 0x45564157
/** `fmt ` and `data`. */
const FMT = 0x20746d66
const DATA = 0x61746164

/** How long the sound of a WAV file is, in seconds, rounded up, by its head; `undefined` where it is none. */
export function wavSeconds(beginning: Uint8Array): number | undefined {
  const view = new DataView(beginning.buffer, beginning.byteOffset, beginning.length)
  if (view.byteLength < 44 || view.getUint32(0, true) !== RIFF) return undefined
  if (view.getUint32(8, true) !== WAVE) return undefined
  let bytesASecond = 0
  for (let at = 12; at + 8 <= view.byteLength;) {
    const id = view.getUint32(at, true)
    const length = view.getUint32(at + 4, true)
    if (id === FMT && at + 20 <= view.byteLength) bytesASecond = view.getUint32(at + 16, true)
    if (id === DATA) return bytesASecond > 0 ? Math.ceil(length / bytesASecond) : undefined
    at += 8 + length + (length % 2)
  }
  return undefined
}
