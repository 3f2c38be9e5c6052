import type { Hono } from 'hono'

import { GatewayError } from '../../errors/gateway-error'
import type { GatewayParts } from '../../gateway/gateway'
import type { ModelEntry, ModelIndex } from '../../routing/model-index'
import { answerJson } from '../answer-json'
import type { AppEnv } from '../app'
import { presentedToken } from '../credentials'

export type ModelRoutesOptions = {
  gateway: GatewayParts
  models(): ModelIndex
  /** Throws when the request's address is not allowed. */
  check(request: Request): void
}

/** GET /v1/models and /v1/models/{id}: https://platform.openai.com/docs/api-reference/models */
export function addModelRoutes(app: Hono<AppEnv>, options: ModelRoutesOptions): void {
  const { gateway, models, check } = options

  app.get('/v1/models', (c) => {
    const startedAt = performance.now()
    check(c.req.raw)
    const caller = gateway.authenticate(presentedToken(c.req.raw))
    const allowed = models()
      .list()
      .filter(({ id }) => gateway.mayUse(caller, id))
    return answerJson(startedAt, { object: 'list', data: allowed.map(toModel) })
  })

  app.get('/v1/models/:id{.+}', (c) => {
    const startedAt = performance.now()
    check(c.req.raw)
    const caller = gateway.authenticate(presentedToken(c.req.raw))
    const { name } = models().resolve(c.req.param('id'))
    if (!gateway.mayUse(caller, name))
      throw new GatewayError('model_not_allowed', `this key may not use the model '${name}'`, {
        param: 'model',
      })
    const known = models()
      .list()
      .find(({ id }) => id === name)
    if (!known)
      throw new GatewayError('model_not_found', `the model '${name}' stands in no list`, {
        param: 'model',
      })
    return answerJson(startedAt, toModel(known))
  })
}

function toModel({ id, provider, created }: ModelEntry) {
  return { id, object: 'model', created, owned_by: provider }
}
