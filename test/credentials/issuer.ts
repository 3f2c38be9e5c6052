/** What a stand-in gives out next, and whether it answers at all. */
export type IssuerMode = 'give' | 'fail' | 'hang'

export type Issued = { readonly id: string; readonly issuedAt: number; readonly endsAt: number }

/**
 * Gives out credentials of some seconds, and knows which of them are good: a host asks it. One that ended is good for
 * `graceMs` more, as with real hosts, whose clocks differ.
 */
export class Issuer {
  mode: IssuerMode = 'give'
  lifeSeconds = 3600
  graceMs = 500
  /** Requests for a credential, answered or not. */
  asked = 0
  readonly #issued = new Map<string, Issued>()
  #latest: Issued | undefined
  #goodSince = Number.NEGATIVE_INFINITY

  get latest(): Issued | undefined {
    return this.#latest
  }

  /** Another credential, named by the order of their issue. */
  issue(): Issued {
    const issuedAt = performance.now()
    const id = `${this.#issued.size + 1}`
    this.#latest = { id, issuedAt, endsAt: issuedAt + this.lifeSeconds * 1000 }
    this.#issued.set(id, this.#latest)
    return this.#latest
  }

  /** Every credential given out so far is refused from now on. */
  rotate(): void {
    this.#goodSince = performance.now()
  }

  isGood(id: string | undefined): boolean {
    const issued = this.#issued.get(id ?? '')
    return (
      issued !== undefined &&
      issued.issuedAt >= this.#goodSince &&
      performance.now() < issued.endsAt + this.graceMs
    )
  }
}

export type StandIn = {
  readonly url: string
  readonly issuer: Issuer
  /** The port is closed: connections are refused. */
  vanish(): Promise<void>
  /** Listens at the same address again. */
  comeBack(): void
  stop(): Promise<void>
}

export type StandInOptions = { readonly tls?: { readonly cert: string; readonly key: string } }

/** A server that gives out credentials; `answer` is asked for each one unless the issuer fails or hangs. */
export function startStandIn(
  issuer: Issuer,
  answer: (request: Request, issuer: Issuer) => Response | Promise<Response>,
  options: StandInOptions = {}
): StandIn {
  const listen = (port: number) =>
    Bun.serve({
      port,
      hostname: '127.0.0.1',
      ...(options.tls && { tls: options.tls }),
      development: false,
      fetch: async (request) => {
        if (issuer.mode === 'fail') return new Response('failing', { status: 503 })
        if (issuer.mode === 'hang') return new Promise<Response>(() => undefined)
        return answer(request, issuer)
      },
    })
  let server = listen(0)
  const port = server.port ?? 0
  // The name is the certificate's.
  const host = options.tls ? 'https://localhost' : 'http://127.0.0.1'
  return {
    url: `${host}:${port}`,
    issuer,
    vanish: () => server.stop(true),
    comeBack: () => {
      server = listen(port)
    },
    stop: () => server.stop(true),
  }
}
