import type { Issuer } from './issuer'

export type Host = {
  readonly url: string
  /** By status. */
  readonly answers: Map<number, number>
  stop(): Promise<void>
}

/** A provider that takes requests with a good credential of the issuer, and refuses others with 401. */
export function startHost(
  issuer: Issuer,
  credentialOf: (request: Request, body: Uint8Array) => string | undefined
): Host {
  const answers = new Map<number, number>()
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    development: false,
    fetch: async (request) => {
      const body = new Uint8Array(await request.arrayBuffer())
      const status = issuer.isGood(credentialOf(request, body)) ? 200 : 401
      answers.set(status, (answers.get(status) ?? 0) + 1)
      return new Response('', { status, headers: { date: new Date().toUTCString() } })
    },
  })
  return { url: server.url.origin, answers, stop: () => server.stop(true) }
}
