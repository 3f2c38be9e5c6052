import type { Hono } from 'hono'

import { GatewayError } from '../../errors/gateway-error'
import type { GatewayParts } from '../../gateway/gateway-parts'
import { toRouteName } from '../../keys/rights'
import type { ModelEntry, ModelIndex } from '../../routing/model-index'
import { answerJson } from '../answer-json'
import type { AppEnv } from '../app'
import { authenticateHttp } from '../credentials'
import { chooseShape, MODEL_SHAPES, type ModelShape } from '../model-shapes'

export type ModelRoutesOptions = {
  gateway: GatewayParts
  models(): ModelIndex
  /** Throws when the request's address is not allowed. */
  check(request: Request): void
}

/** Where lists are asked for; without a shape the client's headers tell it. */
const PATHS: readonly [path: string, shape: ModelShape | undefined][] = [
  ['/v1/models', undefined],
  ['/v1beta/models', 'gemini'],
  ['/openai/v1/models', 'openai'],
  ['/openai/models', 'openai'],
  ['/anthropic/v1/models', 'anthropic'],
  ['/genai/v1beta/models', 'gemini'],
  ['/genai/v1/models', 'gemini'],
]

/** The lists of models and each single one, in the shape of the client's own provider. */
export function addModelRoutes(app: Hono<AppEnv>, options: ModelRoutesOptions): void {
  for (const alias of ['', '/litellm', '/langchain'])
    for (const [path, shape] of PATHS) {
      app.get(alias + path, (c) => answerList(options, c.req.raw, shape))
      app.get(`${alias}${path}/:id{.+}`, (c) =>
        answerOne(options, c.req.raw, shape, c.req.param('id'))
      )
    }
}

function toRightsName({ id, isRoute }: ModelEntry): string {
  return isRoute ? toRouteName(id) : id
}

function answerList(
  { gateway, models, check }: ModelRoutesOptions,
  request: Request,
  shape: ModelShape | undefined
): Response {
  const startedAt = performance.now()
  check(request)
  const caller = authenticateHttp(gateway, request)
  const allowed = models()
    .list()
    .filter((entry) => gateway.mayUse(caller, toRightsName(entry)))
  return answerJson(startedAt, MODEL_SHAPES[chooseShape(shape, request.headers)].list(allowed))
}

function answerOne(
  { gateway, models, check }: ModelRoutesOptions,
  request: Request,
  shape: ModelShape | undefined,
  id: string
): Response {
  const startedAt = performance.now()
  check(request)
  const caller = authenticateHttp(gateway, request)
  const list = models().list()
  const route = list.find((entry) => entry.isRoute && entry.id === id)
  const name = route ? id : models().resolve(id).name
  if (!gateway.mayUse(caller, route ? toRightsName(route) : name))
    throw new GatewayError('model_not_allowed', `this key may not use the model '${name}'`, {
      param: 'model',
    })
  const known = route ?? list.find((entry) => entry.id === name)
  if (!known)
    throw new GatewayError('model_not_found', `the model '${name}' stands in no list`, {
      param: 'model',
    })
  return answerJson(startedAt, MODEL_SHAPES[chooseShape(shape, request.headers)].one(known))
}
