import type { JsonObject } from '../json'

/** A model that clients can ask for. */
export type ListedModel = {
  id: string
  /** Epoch seconds; Google's list has no place for it. */
  created: number
}

/** One model as GET /v1beta/models/NAME shows it: https://ai.google.dev/api/models#Model */
export function renderGeminiModel({ id }: Pick<ListedModel, 'id'>): JsonObject {
  return {
    name: `models/${id}`,
    baseModelId: id,
    displayName: id,
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
  }
}

/** The body of GET /v1beta/models, all on one page: https://ai.google.dev/api/models#method:-models.list */
export function renderGeminiModels(models: readonly ListedModel[]): JsonObject {
  return { models: models.map(renderGeminiModel) }
}
