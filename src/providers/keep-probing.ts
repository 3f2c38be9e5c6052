import type { ProbeSettings } from '../config/configuration'
import { GatewayError } from '../errors/gateway-error'
import type { Ticker } from '../std/ticker'
import { Deadlines } from './deadlines'
import type { Provider } from './provider'
import { readWholeBody } from './read-body'
import type { Sender } from './send'

/** A first failure may be chance, and is looked into at once. */
const AGAIN_AFTER_MS = 1_000
const FAILURES_IN_A_ROW = 2
/** The first of all, after the start. */
const FIRST_WITHIN_MS = 500
const MAX_ANSWER_BYTES = 8 * 1024 * 1024
/** The host is there, and has something against the credential: requests find out what, and for which one. */
const TELLS_NOTHING: ReadonlySet<number> = new Set([401, 403, 429])
/** Nobody's and no model's: whichever credential is in use may ask. */
const ANY_MODEL = { model: '', clientModel: undefined, mayUse: undefined }

export type ProbingOptions = {
  providers: readonly Provider[]
  sender: Sender
  ticker: Ticker
  /** From 0 to below 1; `Math.random` unless said. */
  random?: () => number
  onWell(provider: string): void
  /** Failed twice in a row, and again with every further failure. */
  onUnwell(provider: string, error: GatewayError): void
}

/**
 * Asks each provider that is configured so, one request at a time, whether it is well: GET of a path, with its credential
 * and by its own way. Gives the function that stops it, and ends what is under way.
 */
export function keepProbing(options: ProbingOptions): () => void {
  const probes = options.providers.flatMap((provider) => {
    const { probe } = provider.configuration
    return probe ? [new Probing(provider, probe, options)] : []
  })
  return () => {
    for (const probe of probes) probe.stop()
  }
}

class Probing {
  readonly #provider: Provider
  readonly #settings: ProbeSettings
  readonly #options: ProbingOptions
  readonly #random: () => number
  #timer: Timer
  #deadlines: Deadlines | undefined
  #failures = 0
  #isStopped = false

  constructor(provider: Provider, settings: ProbeSettings, options: ProbingOptions) {
    this.#provider = provider
    this.#settings = settings
    this.#options = options
    this.#random = options.random ?? Math.random
    this.#timer = this.#after(FIRST_WITHIN_MS * this.#random())
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#deadlines?.abort(new GatewayError('client_closed', 'nobody asks any more'))
  }

  #after(delayMs: number): Timer {
    const timer = setTimeout(() => void this.#ask(), delayMs)
    timer.unref()
    return timer
  }

  async #ask(): Promise<void> {
    const { everyMs } = this.#settings
    const outcome = await this.#probe()
    if (this.#isStopped) return
    this.#tell(outcome)
    const isLookedInto = this.#failures > 0 && this.#failures < FAILURES_IN_A_ROW
    const delayMs = isLookedInto ? Math.min(AGAIN_AFTER_MS, everyMs) : everyMs
    // A tenth apart, so that several gateways don't ask together.
    this.#timer = this.#after(delayMs * (0.9 + 0.2 * this.#random()))
  }

  #tell(outcome: 'well' | 'unknown' | GatewayError): void {
    const { name } = this.#provider
    if (outcome === 'unknown') return
    if (outcome === 'well') {
      this.#failures = 0
      this.#options.onWell(name)
    } else if (++this.#failures >= FAILURES_IN_A_ROW) this.#options.onUnwell(name, outcome)
  }

  async #probe(): Promise<'well' | 'unknown' | GatewayError> {
    const { ticker } = this.#options
    const { timeoutMs } = this.#settings
    const deadlines = new Deadlines(
      this.#provider.name,
      {
        connectMs: timeoutMs,
        firstByteMs: timeoutMs,
        betweenFramesMs: timeoutMs,
        totalMs: timeoutMs,
      },
      performance.now(),
      false
    )
    this.#deadlines = deadlines
    ticker.add(deadlines)
    try {
      return this.#judge(await this.#get(deadlines))
    } catch (error) {
      return GatewayError.from(error)
    } finally {
      deadlines.vacate()
      ticker.remove(deadlines)
      this.#deadlines = undefined
    }
  }

  /** The status of an answer that came to its end. */
  async #get(deadlines: Deadlines): Promise<number> {
    const sent = await this.#options.sender.send({
      provider: this.#provider.pool?.pick(ANY_MODEL)?.provider ?? this.#provider,
      format: this.#provider.configuration.protocols[0] ?? '',
      path: this.#settings.path,
      body: undefined,
      headers: undefined,
      deadlines,
      fresh: false,
    })
    if (!sent.ok) throw sent.error
    await readWholeBody(sent.response, deadlines, MAX_ANSWER_BYTES)
    return sent.response.status
  }

  #judge(status: number): 'well' | 'unknown' | GatewayError {
    const { path, status: wanted } = this.#settings
    if (wanted === undefined ? status >= 200 && status < 300 : status === wanted) return 'well'
    if (wanted === undefined && TELLS_NOTHING.has(status)) return 'unknown'
    return new GatewayError('upstream_refused', `GET ${path} answered ${status}`)
  }
}
