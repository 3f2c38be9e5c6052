import { countOf, isRecord, recordOf, stringOf } from '../../std/record'
import { drawPicture } from '../picture'
import type { Endpoint } from '../protocol'
import { refused } from '../scripted-endpoint'

/** `:predict` of what makes images: https://ai.google.dev/gemini-api/docs/imagen */
export function predictEndpoint(model: string): Endpoint {
  return {
    method: 'POST',
    model: () => model,
    answer({ body }) {
      const instances = isRecord(body) && Array.isArray(body.instances) ? body.instances : []
      const prompt = stringOf(instances[0], 'prompt')
      if (prompt === undefined) return refused('No prompt.', 'instances')
      const count = countOf(recordOf(body, 'parameters'), 'sampleCount') ?? 4
      const predictions = Array.from({ length: count }, (_, index) => ({
        mimeType: 'image/png',
        bytesBase64Encoded: Buffer.from(drawPicture(`${prompt} ${index}`)).toString('base64'),
      }))
      return { kind: 'whole', text: JSON.stringify({ predictions }), tokens: 1 }
    },
  }
}
