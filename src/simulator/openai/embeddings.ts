import { z } from 'zod'
import type { Call } from '../protocol'
import { randomAt, seedOf } from '../seed'
import { countTokens } from '../tokens'
import { postEndpoint } from './endpoint'

const DIMENSIONS = 1536
/** Places of the vector that a word adds to. */
const PLACES_A_WORD = 24

const requestSchema = z.looseObject({
  input: z.union([
    z.string().min(1),
    z.array(z.string().min(1)).min(1).max(2048),
    z.array(z.int()).min(1).max(8192),
    z.array(z.array(z.int()).min(1)).min(1).max(2048),
  ]),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).max(3072).nullish(),
})

type Input = { words: string[]; tokens: number }

/** `POST /v1/embeddings`: unit vectors, nearer to each other the more words two inputs share. */
export const embeddingsEndpoint = postEndpoint(requestSchema, (request, call: Call) => {
  const inputs = inputsOf(request.input)
  const base64 = request.encoding_format === 'base64'
  const vectors = inputs.map(({ words }) => embed(words, request.dimensions ?? DIMENSIONS))
  const tokens = inputs.reduce((sum, input) => sum + input.tokens, 0)
  const text = JSON.stringify({
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: base64 ? Buffer.from(vector.buffer).toString('base64') : [...vector],
    })),
    model: call.model,
    ...(call.quirks.usage === 'omitted'
      ? {}
      : { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
  })
  return { kind: 'whole', text, tokens: 1 }
})

function inputsOf(input: z.infer<typeof requestSchema>['input']): Input[] {
  const inputs = typeof input === 'string' ? [input] : input
  const numbers = inputs.filter((item) => typeof item === 'number')
  if (numbers.length > 0) return [{ words: numbers.map(String), tokens: numbers.length }]
  return inputs.flatMap((item) => {
    if (typeof item === 'string') return [{ words: wordsOf(item), tokens: countTokens(item) }]
    return Array.isArray(item) ? [{ words: item.map(String), tokens: item.length }] : []
  })
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]
}

/** The words' hashes, added up and brought to length 1. */
function embed(words: string[], dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions)
  for (const word of words) {
    const seed = seedOf(word)
    for (let place = 0; place < PLACES_A_WORD; place++) {
      const at = Math.floor(randomAt(seed, place) * dimensions)
      const sign = randomAt(seed, PLACES_A_WORD + place) < 0.5 ? -1 : 1
      vector[at] = (vector[at] ?? 0) + sign
    }
  }
  const length = Math.hypot(...vector)
  // Words can cancel each other out; a vector of no length has no direction.
  if (length === 0) vector[0] = 1
  return length === 0 ? vector : vector.map((value) => value / length)
}
