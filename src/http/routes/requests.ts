import type { Hono } from 'hono'

import { GatewayError } from '../../errors/gateway-error'
import type { GatewayParts } from '../../gateway/gateway-parts'
import { viewRequest } from '../../telemetry/request-view'
import { answerJson } from '../answer-json'
import type { AppEnv } from '../app'
import { authenticateHttp } from '../credentials'

export type RequestRoutesOptions = {
  gateway: GatewayParts
  /** Throws when the request's address is not allowed. */
  check(request: Request): void
}

/** GET /v1/requests/{id}: all that is known of a request, for the key that made it. */
export function addRequestRoutes(
  app: Hono<AppEnv>,
  { gateway, check }: RequestRoutesOptions
): void {
  app.get('/v1/requests/:id', async (c) => {
    const startedAt = performance.now()
    check(c.req.raw)
    const caller = authenticateHttp(gateway, c.req.raw)
    const id = c.req.param('id')
    const found = await gateway.log.find(id)
    // Another key's request is as unknown as none: an id must not tell that it exists.
    if (!found || (found.keyId ?? undefined) !== caller?.id)
      throw new GatewayError(
        'request_not_found',
        `no request '${id.slice(0, 64)}' of this key is known`
      )
    return answerJson(startedAt, viewRequest(found))
  })
}
