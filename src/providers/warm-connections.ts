import { GatewayError } from '../errors/gateway-error'
import type { Ticker } from '../std/ticker'
import { Deadlines } from './deadlines'
import type { Provider } from './provider'
import type { ConnectionWarmer, Sender } from './send'

const LIMIT_MS = 10_000
const DEADLINES = {
  connectMs: LIMIT_MS,
  firstByteMs: LIMIT_MS,
  betweenFramesMs: LIMIT_MS,
  totalMs: LIMIT_MS,
}

export type WarmOptions = {
  providers: readonly Provider[]
  sender: Sender & ConnectionWarmer
  ticker: Ticker
  /** `error` where a host could not be reached: its first request will tell. */
  onEnd(provider: string, error: GatewayError | undefined): void
}

/**
 * Connects to every TLS origin that has not answered lately, each once, so that a first request finds resolving, TCP and TLS
 * done. Clear text is left alone: it is local, and connecting costs nothing there. Gives the function that stops it.
 */
export function warmConnections(options: WarmOptions): () => void {
  const { providers, sender, ticker, onEnd } = options
  const underWay = new Set<Deadlines>()
  const ways = new Map<string, Provider>()
  for (const provider of providers)
    if (provider.origin.startsWith('https:') && sender.isCold(provider))
      ways.set(provider.way, provider)
  for (const provider of ways.values()) void warm(provider)

  async function warm(provider: Provider): Promise<void> {
    const deadlines = new Deadlines(provider.name, DEADLINES, performance.now(), false)
    underWay.add(deadlines)
    ticker.add(deadlines)
    const error = await sender.warm(provider, deadlines)
    ticker.remove(deadlines)
    if (underWay.delete(deadlines)) onEnd(provider.name, error)
  }

  return () => {
    for (const deadlines of underWay)
      deadlines.abort(new GatewayError('client_closed', 'nobody needs the connection any more'))
    underWay.clear()
  }
}
