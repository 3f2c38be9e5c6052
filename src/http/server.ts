import type { Hono } from 'hono'

import type { ServerConfiguration } from '../config/configuration'
import type { AppEnv, BusyRoutes } from './app'
import { IDLE_TIMEOUT_SECONDS } from './client-call'

/** Above what the app allows: Bun answers a larger body itself, with nothing in the 413. */
const BODY_LIMIT_MARGIN_BYTES = 64 * 1024 * 1024

/** How long requests that are cut at the end of a drain may take to notice. */
const CUT_MS = 1_000

export type Listener = {
  url: string
  port: number
  /**
   * Refuses new connections, waits until nothing is under way or `limitMs` have passed, and closes.
   * Gives how many requests were cut.
   */
  drain(limitMs: number, underWay: () => number): Promise<number>
}

/** Listens by HTTP/1.1 and HTTP/2, over TLS where it is configured. Throws when the address is taken. */
export function listen(
  configuration: ServerConfiguration,
  app: Hono<AppEnv>,
  routes: BusyRoutes = {}
): Listener {
  const { host, port, tls, maxBodyBytes, maxUploadBytes } = configuration
  const server = Bun.serve({
    hostname: host,
    port,
    http2: true,
    // Without it Bun shares the port with whoever else listens there (seen with 1.4.5).
    reusePort: false,
    development: false,
    idleTimeout: IDLE_TIMEOUT_SECONDS,
    maxRequestBodySize: Math.max(maxBodyBytes, maxUploadBytes) + BODY_LIMIT_MARGIN_BYTES,
    ...(tls && { tls: { cert: tls.certPem, key: tls.keyPem } }),
    routes,
    fetch: (request, handle) => app.fetch(request, handle),
  })
  return {
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${server.port}`,
    port: server.port ?? port,
    async drain(limitMs, underWay) {
      const closed = server.stop(false)
      const dueAtMs = performance.now() + limitMs
      while (underWay() > 0 && performance.now() < dueAtMs) await Bun.sleep(20)
      const cut = underWay()
      await Promise.race([closed, Bun.sleep(cut > 0 ? 0 : 50)])
      await server.stop(true)
      // Those that were cut hear of it a moment later, and are written down then.
      const heardAtMs = performance.now() + CUT_MS
      while (underWay() > 0 && performance.now() < heardAtMs) await Bun.sleep(5)
      return cut
    },
  }
}
