import { CREATED_SECONDS } from '../created'
import { decodeName, modelNames } from '../model-names'
import type { Endpoint } from '../protocol'

export const MODELS_PATH = '/v1/models'

/** `GET /v1/models`: the names worth listing; any other name is answered too. */
export const modelsEndpoint: Endpoint = {
  method: 'GET',
  model: () => '',
  answer() {
    const body = { object: 'list', data: modelNames().map(modelObject) }
    return { kind: 'whole', text: JSON.stringify(body), tokens: 0 }
  },
}

/** `GET /v1/models/{id}`: a listed name, directives behind it or not. */
export const modelEndpoint: Endpoint = {
  method: 'GET',
  // The path asks about the model, not for its answer: its faults and pace do not apply.
  model: () => '',
  answer({ pathname }) {
    const id = decodeName(pathname.slice(MODELS_PATH.length + 1))
    const [name = ''] = id.split(';')
    if (modelNames().includes(name))
      return { kind: 'whole', text: JSON.stringify(modelObject(id)), tokens: 0 }
    const message = `The model '${id}' does not exist`
    const failure = { status: 404, code: 'model_not_found', message, param: 'model' }
    return { kind: 'refused', failure }
  },
}

function modelObject(id: string) {
  return { id, object: 'model', created: CREATED_SECONDS, owned_by: 'simulator' }
}
