import { parseRequest, renderRequest } from '../../src/protocols/openai/request'
import { createPiece, inTurn, type Piece } from './piece'

const VARIANTS = 32

/** A chat's body, scanned once and rendered with the upstream's model name in it. */
export function createBodyScanPieces(): Piece[] {
  const sizes = [
    { label: '0.3 KB', sizeBytes: 300, budgetMicros: 5 },
    { label: '4 KB', sizeBytes: 4_000, budgetMicros: 15 },
    { label: '100 KB', sizeBytes: 100_000, budgetMicros: 300 },
  ]
  return sizes.map(({ label, sizeBytes, budgetMicros }) => {
    const bodies = Array.from({ length: VARIANTS }, (_, variant) => chat(sizeBytes, variant))
    const freshBody = inTurn(bodies)
    return createPiece({
      work: `body scan and splice, ${label}`,
      budgetMicros,
      fresh: freshBody,
      run: (body) =>
        renderRequest(parseRequest('generate', body, {}), {
          model: 'gpt-4o-mini',
          askForUsage: false,
        }),
    })
  })
}

/** A chat of turns of about 400 characters with what makes strings slow: escapes, and letters beyond ASCII. */
export function chat(sizeBytes: number, variant: number): Uint8Array {
  const text = `Turn ${variant}: „Was kostet die Maut?“\n\tShe said "two coins". `.repeat(6)
  const messages: { role: string; content: string }[] = []
  let left = sizeBytes - 120
  while (left > 0) {
    const content = text.slice(0, left)
    messages.push({ role: messages.length % 2 === 0 ? 'user' : 'assistant', content })
    left -= Buffer.byteLength(JSON.stringify(content)) + 35
  }
  const model = `openai/gpt-4o-mini-${variant}`
  return Buffer.from(JSON.stringify({ model, messages, temperature: 0.7, max_tokens: 256 }))
}
