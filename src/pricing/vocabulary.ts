import { readFileSync } from 'node:fs'
import path from 'gpt-tokenizer/data/o200k_base.tiktoken' with { type: 'file' }
import { GptEncoding } from 'gpt-tokenizer/GptEncoding'

const ZSTD_MAGIC = 0xfd2fb528

/** Counts the tokens of a text. A mark of the vocabulary that stands in it is text like any other. */
export type CountPiece = (text: string) => number

/**
 * OpenAI's o200k vocabulary, read from its file: a token in base64 and its rank a line. In the executable the file is
 * compressed, see build/compile.ts. https://github.com/openai/tiktoken
 */
export function loadVocabulary(): CountPiece {
  const stored = readFileSync(path)
  const isCompressed = stored.length > 4 && stored.readUInt32LE(0) === ZSTD_MAGIC
  const file = isCompressed ? Bun.zstdDecompressSync(stored) : stored
  const ranks: (string | number[])[] = []
  for (const line of file.toString('latin1').split('\n')) {
    const space = line.indexOf(' ')
    if (space > 0) ranks[Number(line.slice(space + 1))] = toToken(line.slice(0, space))
  }
  const { countTokens } = GptEncoding.getEncodingApi('o200k_base', () => ranks)
  const options = { disallowedSpecial: new Set<string>() }
  return (text) => countTokens(text, options)
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text where the bytes are some, else the bytes. */
function toToken(base64: string): string | number[] {
  const bytes = Buffer.from(base64, 'base64')
  try {
    return decoder.decode(bytes)
  } catch {
    return [...bytes]
  }
}
