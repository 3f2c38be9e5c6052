import { readFile, stat } from 'node:fs/promises'

export type TextResult = { ok: true; text: string } | { ok: false; reason: string }

/**
 * The text of the file at `path`, up to `maxBytes`; else the reason why not, to be read behind
 * the file's name: `does not exist`.
 */
export async function readText(path: string, maxBytes: number): Promise<TextResult> {
  try {
    // The size is asked for first, so that a path to something huge costs no memory.
    if ((await stat(path)).size > maxBytes) return tooLarge(maxBytes)
    const bytes = await readFile(path)
    if (bytes.length > maxBytes) return tooLarge(maxBytes)
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (error) {
    return { ok: false, reason: toReason(error) }
  }
}

function tooLarge(maxBytes: number): TextResult {
  return { ok: false, reason: `is larger than ${maxBytes} bytes` }
}

function toReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'does not exist'
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by this user'
    case 'EISDIR':
      return 'is a directory'
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return 'is not UTF-8 text'
    default:
      return `can't be read${code === '' ? '' : ` (${code})`}`
  }
}
