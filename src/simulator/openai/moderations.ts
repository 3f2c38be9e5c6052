import { z } from 'zod'
import { fingerprint } from '../seed'
import { postEndpoint } from './endpoint'

const CATEGORIES: Readonly<Record<string, RegExp>> = {
  harassment: /\bidiot|stupid\b/i,
  hate: /\bhate\b/i,
  'self-harm': /\bhurt myself\b/i,
  sexual: /\bnude\b/i,
  violence: /\b(kill|murder|bomb)\b/i,
}

const inputSchema = z.union([
  z.string(),
  z.looseObject({ type: z.string(), text: z.string().optional() }),
])

const requestSchema = z.looseObject({ input: z.union([z.string(), z.array(inputSchema)]) })

/** `POST /v1/moderations`: some words are flagged. Parts of one input, texts and images, have one result. */
export const moderationsEndpoint = postEndpoint(requestSchema, ({ input }, { model }) => {
  const inputs = typeof input === 'string' ? [input] : input
  const texts = inputs.filter((item) => typeof item === 'string')
  const parts = inputs.filter((item) => typeof item !== 'string')
  const judged = parts.length > 0 ? [parts.map(({ text = '' }) => text).join(' ')] : texts
  const body = {
    id: `modr-sim-${fingerprint(judged.join('\n'))}`,
    model,
    results: judged.map(judge),
  }
  return { kind: 'whole', text: JSON.stringify(body), tokens: 1 }
})

function judge(text: string) {
  const found = Object.entries(CATEGORIES).map(([name, words]) => [name, words.test(text)] as const)
  return {
    flagged: found.some(([, isFlagged]) => isFlagged),
    categories: Object.fromEntries(found),
    category_scores: Object.fromEntries(found.map(([name, is]) => [name, is ? 0.98 : 0.01])),
    category_applied_input_types: Object.fromEntries(found.map(([name]) => [name, ['text']])),
  }
}
