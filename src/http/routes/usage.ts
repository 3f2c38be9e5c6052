import type { Hono } from 'hono'
import type { GatewayParts } from '../../gateway/gateway-parts'
import { answerJson } from '../answer-json'
import type { AppEnv } from '../app'
import { authenticateHttp } from '../credentials'

export type UsageRoutesOptions = {
  gateway: GatewayParts
  /** Throws when the request's address is not allowed. */
  check(request: Request): void
}

/** GET /v1/usage/self: how the caller stands in each limit that counts its requests. */
export function addUsageRoutes(app: Hono<AppEnv>, { gateway, check }: UsageRoutesOptions): void {
  app.get('/v1/usage/self', async (c) => {
    const startedAt = performance.now()
    check(c.req.raw)
    const caller = authenticateHttp(gateway, c.req.raw)
    const labels = { user: undefined, session: undefined, tags: [] }
    const limits = await gateway.governor.standings(gateway.governed(caller, labels))
    return answerJson(startedAt, {
      key: caller?.name ?? null,
      limits: limits.map(({ limit, standing }) => ({
        subject: limit.subject.text,
        unit: limit.unit,
        window: limit.windowText ?? null,
        limit: standing.amount,
        used: standing.spent,
        reserved: standing.reserved,
        remaining: Math.max(0, standing.amount - standing.spent - standing.reserved),
        resets_at:
          standing.resetAtMs === undefined ? null : new Date(standing.resetAtMs).toISOString(),
      })),
    })
  })
}
