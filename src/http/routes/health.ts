import type { Hono } from 'hono'

import type { AppEnv } from '../app'

/** For load balancers and probes; open, and silent about everything but itself. */
export function addHealthRoutes(app: Hono<AppEnv>, isReady: () => boolean): void {
  app.get('/health/live', (c) => c.json({ status: 'live' }))
  app.get('/health/ready', (c) =>
    isReady() ? c.json({ status: 'ready' }) : c.json({ status: 'not ready' }, 503)
  )
}
