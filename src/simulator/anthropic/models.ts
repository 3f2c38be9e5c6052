import { CREATED_SECONDS } from '../created'
import { modelNames } from '../model-names'
import type { Endpoint } from '../protocol'

/** `GET /v1/models` as Anthropic answers it, on one page. */
export const modelsEndpoint: Endpoint = {
  method: 'GET',
  model: () => '',
  answer() {
    const names = modelNames()
    const created_at = new Date(CREATED_SECONDS * 1000).toISOString()
    const page = {
      data: names.map((id) => ({ type: 'model', id, display_name: id, created_at })),
      has_more: false,
      first_id: names.at(0) ?? null,
      last_id: names.at(-1) ?? null,
    }
    return { kind: 'whole', text: JSON.stringify(page), tokens: 0 }
  },
}
