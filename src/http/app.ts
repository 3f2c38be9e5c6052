import { type Context, Hono } from 'hono'

import { GatewayError } from '../errors/gateway-error'
import { type Answer, type GatewayParts, handle, refuse } from '../gateway/gateway'
import { openaiChat, openaiCompletions, openaiEmbeddings } from '../protocols/openai/openai'
import type { Protocol } from '../protocols/protocol'
import { type ServerHandle, toClientCall } from './client-call'
import { assertLocal } from './local-only'
import type { BodyReads } from './read-body'
import { addHealthRoutes } from './routes/health'
import { addModelRoutes } from './routes/models'
import { addRequestRoutes } from './routes/requests'

export type AppEnv = { Bindings: ServerHandle }

export type AppParts = {
  gateway: GatewayParts
  bodies: BodyReads
  /** The address to hold requests to while no keys are required; `undefined` when they are. */
  localHost(): string | undefined
  isReady(): boolean
  models: Parameters<typeof addModelRoutes>[1]['models']
}

/** The inference routes: path and the protocol that is spoken there. */
const INFERENCE: readonly [string, Protocol][] = [
  ['/v1/chat/completions', openaiChat],
  ['/v1/completions', openaiCompletions],
  ['/v1/embeddings', openaiEmbeddings],
]

/**
 * The data plane. In order: the address is checked where no keys are, then `gateway/gateway.ts` takes the
 * request; whatever is thrown beside it becomes an error body here.
 */
export function createApp(parts: AppParts): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  for (const [path, protocol] of INFERENCE)
    app.post(path, async (c) => {
      const call = toClientCall(c.req.raw, c.env, parts.bodies)
      try {
        checkAddress(parts, c.req.raw)
      } catch (error) {
        return toResponse(await refuse(parts.gateway, protocol, call, error))
      }
      return toResponse(await handle(parts.gateway, protocol, call))
    })
  addModelRoutes(app, {
    gateway: parts.gateway,
    models: parts.models,
    check: (request) => checkAddress(parts, request),
  })
  addRequestRoutes(app, {
    gateway: parts.gateway,
    check: (request) => checkAddress(parts, request),
  })
  addHealthRoutes(app, parts.isReady)
  app.notFound((c) => fail(c, parts, notServed(c)))
  app.onError((error, c) => fail(c, parts, error))
  return app
}

/** An error beside the inference routes, in OpenAI's shape and written down like any refusal. */
async function fail(c: Context<AppEnv>, parts: AppParts, error: unknown): Promise<Response> {
  const call = toClientCall(c.req.raw, c.env, parts.bodies)
  return toResponse(await refuse(parts.gateway, openaiChat, call, error))
}

function checkAddress(parts: AppParts, request: Request): void {
  const host = parts.localHost()
  if (host !== undefined) assertLocal(request, host)
}

/**
 * Why nothing answers here. Other methods of a known path have no handler of their own: Hono takes a shorter
 * way to a path with only one.
 */
function notServed(c: Context<AppEnv>): GatewayError {
  const { method, path } = c.req
  const allowed = INFERENCE.some(([known]) => known === path)
    ? 'POST'
    : /^\/(v1\/models(\/.+)?|v1\/requests\/[^/]+|health\/(live|ready))$/.test(path)
      ? 'GET'
      : undefined
  if (allowed)
    return new GatewayError('method_not_allowed', `${method} is not for ${path}; use ${allowed}`, {
      headers: { allow: allowed },
    })
  const hint = path.startsWith('/v1/')
    ? 'this gateway serves /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models and /v1/requests/{id}'
    : 'the API begins at /v1; an SDK wants it at the end of its base URL'
  return new GatewayError('route_not_found', `there is no ${method} ${path}: ${hint}`)
}

function toResponse({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers })
}
