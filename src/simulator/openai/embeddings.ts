import { z } from 'zod'
import type { Call } from '../protocol'
import { DIMENSIONS, embedWords, wordsOf } from '../embed-text'
import { countTokens } from '../tokens'
import { postEndpoint } from './endpoint'

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
  const vectors = inputs.map(({ words }) => embedWords(words, request.dimensions ?? DIMENSIONS))
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
