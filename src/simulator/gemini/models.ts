import { modelNames } from '../model-names'
import type { Endpoint } from '../protocol'

/** `GET /v1beta/models`: https://ai.google.dev/api/models */
export const modelsEndpoint: Endpoint = {
  method: 'GET',
  model: () => '',
  answer() {
    const models = modelNames().map((name) => ({
      name: `models/${name}`,
      version: '001',
      displayName: name,
      inputTokenLimit: 1_048_576,
      outputTokenLimit: 65_536,
      supportedGenerationMethods: ['generateContent', 'countTokens'],
    }))
    return { kind: 'whole', text: JSON.stringify({ models }), tokens: 0 }
  },
}
