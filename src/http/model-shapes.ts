import { renderGeminiModel, renderGeminiModels } from '../protocols/gemini/models'
import type { ModelEntry } from '../routing/model-index'

export type ModelShape = 'openai' | 'anthropic' | 'gemini'

type Shape = {
  list(models: readonly ModelEntry[]): object
  one(model: ModelEntry): object
}

/**
 * How lists of models look: https://platform.openai.com/docs/api-reference/models,
 * https://platform.claude.com/docs/en/api/models-list, https://ai.google.dev/api/models
 */
export const MODEL_SHAPES: Readonly<Record<ModelShape, Shape>> = {
  openai: {
    list: (models) => ({ object: 'list', data: models.map(toOpenai) }),
    one: toOpenai,
  },
  anthropic: {
    list: (models) => ({
      data: models.map(toAnthropic),
      has_more: false,
      first_id: models[0]?.id ?? null,
      last_id: models.at(-1)?.id ?? null,
    }),
    one: toAnthropic,
  },
  gemini: {
    list: renderGeminiModels,
    one: renderGeminiModel,
  },
}

/** The shape that the path names, else the one whose SDK sends such headers. */
export function chooseShape(shape: ModelShape | undefined, headers: Headers): ModelShape {
  if (shape !== undefined) return shape
  if (headers.has('anthropic-version')) return 'anthropic'
  return headers.has('x-goog-api-key') ? 'gemini' : 'openai'
}

function toOpenai({ id, provider, created }: ModelEntry) {
  return { id, object: 'model', created, owned_by: provider }
}

function toAnthropic({ id, created }: ModelEntry) {
  return {
    type: 'model',
    id,
    display_name: id,
    created_at: new Date(created * 1_000).toISOString(),
  }
}
