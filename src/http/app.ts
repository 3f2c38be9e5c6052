import { type Context, Hono } from 'hono'

import { GatewayError } from '../errors/gateway-error'
import { handle, refuse } from '../gateway/gateway'
import type { Answer, GatewayParts } from '../gateway/gateway-parts'
import { handleObject } from '../gateway/object-gateway'
import { passThrough } from '../gateway/pass-through'
import { type ServerHandle, toClientCall } from './client-call'
import { findInference, guessProtocol, type InferencePath, withoutAlias } from './inference-routes'
import { assertLocal } from './local-only'
import { findPassthrough, type PassthroughCall } from './passthrough-routes'
import { findObject, objectMethods } from './object-routes'
import type { BodyReads } from './read-body'
import { addExplainRoutes } from './routes/explain'
import { addHealthRoutes } from './routes/health'
import { addModelRoutes } from './routes/models'
import { addRequestRoutes } from './routes/requests'
import { addUsageRoutes } from './routes/usage'

export type AppEnv = { Bindings: ServerHandle }

export type AppParts = {
  gateway: GatewayParts
  bodies: BodyReads
  /** The address to hold requests to while no keys are required; `undefined` when they are. */
  localHost(): string | undefined
  isReady(): boolean
  models: Parameters<typeof addModelRoutes>[1]['models']
}

/** The paths that most requests take; the others are found by `findInference`. */
const BUSY = [
  ...['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/responses'],
  '/v1/messages',
]

/** Answers of a path by method, for Bun's own router. */
export type BusyRoutes = Record<
  string,
  { POST(request: Request, server: ServerHandle): Promise<Response> }
>

/**
 * The busiest paths, which stand before the app: Hono makes two dozen objects for a request, and has its address
 * written out first, which is 6 µs of a hundred. They do what the app would do, and it does all else of these paths too.
 */
export function createBusyRoutes(parts: AppParts): BusyRoutes {
  const routes: BusyRoutes = {}
  for (const path of BUSY) {
    const found = findInference(path, '')
    if (found === undefined) continue
    routes[path] = {
      POST: (request, server) =>
        serve(request, server, parts, found).catch((error: unknown) =>
          fail(request, server, parts, error)
        ),
    }
  }
  return routes
}

/**
 * The data plane. In order: the address is checked where no keys are, then `gateway/gateway.ts` takes the
 * request; whatever is thrown beside it becomes an error body here.
 */
export function createApp(parts: AppParts): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  addModelRoutes(app, {
    gateway: parts.gateway,
    models: parts.models,
    check: (request) => checkAddress(parts, request),
  })
  addExplainRoutes(app, {
    ...{ gateway: parts.gateway, bodies: parts.bodies },
    check: (request) => checkAddress(parts, request),
  })
  addRequestRoutes(app, {
    gateway: parts.gateway,
    check: (request) => checkAddress(parts, request),
  })
  addUsageRoutes(app, {
    gateway: parts.gateway,
    check: (request) => checkAddress(parts, request),
  })
  addHealthRoutes(app, parts.isReady)
  app.notFound((c) => {
    const url = new URL(c.req.url)
    const { pathname, search } = url
    const { method } = c.req
    const found = method === 'POST' ? findInference(pathname, search) : undefined
    if (found) return serve(c.req.raw, c.env, parts, found)
    const passed = findPassthrough(method, url, parts.gateway.providers())
    if (passed instanceof GatewayError) return fail(c.req.raw, c.env, parts, passed)
    if (passed) return servePassed(c, parts, passed)
    const kept = findObject(method, pathname, search, c.req.raw.headers)
    return kept ? serveObject(c, parts, kept) : fail(c.req.raw, c.env, parts, notServed(c))
  })
  app.onError((error, c) => fail(c.req.raw, c.env, parts, error))
  return app
}

function serve(
  request: Request,
  server: ServerHandle,
  parts: AppParts,
  found: InferencePath
): Promise<Response> {
  const { protocol } = found
  const call = toClientCall(request, server, parts.bodies, found)
  try {
    checkAddress(parts, request)
  } catch (error) {
    return refuse(parts.gateway, protocol, call, error).then(toResponse)
  }
  return handle(parts.gateway, protocol, call).then(toResponse)
}

async function servePassed(
  c: Context<AppEnv>,
  parts: AppParts,
  { provider, protocol }: PassthroughCall
): Promise<Response> {
  const call = toClientCall(c.req.raw, c.env, parts.bodies, { protocol, route: {} })
  try {
    checkAddress(parts, c.req.raw)
  } catch (error) {
    return toResponse(await refuse(parts.gateway, protocol, call, error))
  }
  return toResponse(await passThrough(parts.gateway, protocol, call, provider))
}

async function serveObject(
  c: Context<AppEnv>,
  parts: AppParts,
  found: InferencePath
): Promise<Response> {
  const { protocol, route } = found
  const call = toClientCall(c.req.raw, c.env, parts.bodies, found)
  try {
    checkAddress(parts, c.req.raw)
  } catch (error) {
    return toResponse(await refuse(parts.gateway, protocol, call, error))
  }
  if (route.object === undefined) throw new Error('a path of objects has none')
  return toResponse(await handleObject(parts.gateway, protocol, call, route.object))
}

/** An error beside the inference routes, in the client's shape and written down like any refusal. */
async function fail(
  request: Request,
  server: ServerHandle,
  parts: AppParts,
  error: unknown
): Promise<Response> {
  const protocol = guessProtocol(new URL(request.url).pathname, request.headers)
  const call = toClientCall(request, server, parts.bodies, { protocol, route: {} })
  return toResponse(await refuse(parts.gateway, protocol, call, error))
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
  const methods = objectMethods(path)
  const allowed =
    methods.length > 0
      ? methods.join(', ')
      : findInference(path, '')
        ? 'POST'
        : GET_PATHS.test(withoutAlias(path))
          ? 'GET'
          : undefined
  if (allowed)
    return new GatewayError('method_not_allowed', `${method} is not for ${path}; use ${allowed}`, {
      headers: { allow: allowed },
    })
  const hint = path.startsWith('/v1/')
    ? 'this gateway serves /v1/chat/completions, /v1/responses, /v1/messages, /v1/completions, /v1/embeddings, /v1/rerank, /v1/moderations, /v1/images, /v1/audio, /v1/files, /v1/batches, /v1/models, /v1/requests/{id} and /v1/usage/self'
    : 'the API begins at /v1 or /v1beta, or under /openai, /anthropic, /genai and /bedrock; an SDK wants that in its base URL'
  return new GatewayError('route_not_found', `there is no ${method} ${path}: ${hint}`)
}

const GET_PATHS =
  /^(\/(openai|anthropic|genai))?(\/v1|\/v1beta)?\/models(\/.+)?$|^\/v1\/requests\/[^/]+$|^\/v1\/usage\/self$|^\/health\/(live|ready)$/

function toResponse({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers })
}
