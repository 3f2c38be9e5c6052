import { GatewayError } from '../../errors/gateway-error'

/** One credential as its giver handed it out. */
export type FetchedCredential<T> = {
  readonly value: T
  /** How long it is good from now on, as far as this machine's clock can tell; `undefined` for one without an end. */
  readonly lifeMs: number | undefined
}

export type KeptCredentialOptions<T> = {
  /** For error messages: `an AWS credential`. */
  readonly noun: string
  /** Asks the giver. `signal` fires at the attempt's deadline and on close; what ignores it is left behind. */
  obtain(signal: AbortSignal): Promise<FetchedCredential<T>>
  /** Never shown, whatever a library puts into its error. */
  readonly secrets?: readonly (string | undefined)[]
  /** Monotonic milliseconds: lives are counted from the fetch, so that a wrong or corrected clock changes nothing. */
  readonly clock?: () => number
  /** How long who has none waits, ten seconds unless said. */
  readonly deadlineMs?: number
  /** How long one attempt may take. */
  readonly attemptMs?: number
  /** Between the first attempt and the second; twice that before the third. */
  readonly pauseMs?: number
}

type Kept<T> = {
  readonly value: T
  readonly lifeMs: number
  readonly refreshAt: number
  readonly endsAt: number
}

/** How long who has no credential waits for one. */
const DEADLINE_MS = 10_000
/** How long one attempt may take: a giver that hangs is asked a second time within the deadline. */
const ATTEMPT_MS = 4_500
const ATTEMPTS = 3
const FIRST_PAUSE_MS = 200
/** Renewal begins this long before the end, or in the last fifth of a life shorter than 25 minutes. */
const RENEW_AHEAD_MS = 5 * 60_000
const RENEW_AT_LIFE = 0.8
/** After a renewal failed, while the old credential serves. */
const RENEW_PAUSE_MS = { first: 1_000, most: 30_000 }
/** After nothing could be had at all: who asks meanwhile is told at once, and the giver is left alone. */
const FAILED_PAUSE_MS = { first: 1_000, most: 5_000 }
/** Nobody gives out what has ended: where it seems so, this machine's clock is wrong. */
const LIFE_UNKNOWN_MS = 5 * 60_000
/** Refusals that follow each other closer than this are one. */
const REFUSAL_GAP_MS = 5_000
const MAX_DETAIL_CHARACTERS = 400
/** Shorter ones are in every sentence. */
const MIN_SECRET_CHARACTERS = 4

/**
 * Keeps one credential fresh. Its renewal begins ahead of its end, in the background, when somebody asks for it; a
 * renewal that fails leaves the old one to its real end and is tried again with growing pauses. Fetches never run
 * beside each other: who needs one waits for the one under way.
 */
export class KeptCredential<T> {
  readonly #options: KeptCredentialOptions<T>
  readonly #clock: () => number
  readonly #closing = new AbortController()
  #kept: Kept<T> | undefined
  /** The host refused it. It still serves if no other can be had, as a refusal can have other reasons. */
  #isSuspect = false
  #refusedAt = Number.NEGATIVE_INFINITY
  #flight: Promise<T> | undefined
  #failures = 0
  #renewNotBefore = 0
  #failed: { readonly error: GatewayError; readonly until: number } | undefined

  constructor(options: KeptCredentialOptions<T>) {
    this.#options = options
    this.#clock = options.clock ?? (() => performance.now())
  }

  /**
   * The credential, at once while it is good, else a promise of one. It rejects with `upstream_unauthorized` when
   * none could be had in ten seconds, and at once for a moment after that.
   */
  current(): T | Promise<T> {
    const now = this.#clock()
    const kept = this.#kept
    if (this.#closing.signal.aborted) return Promise.reject(this.#toError('it was given up'))
    if (kept && !this.#isSuspect && now < kept.endsAt) {
      if (now >= kept.refreshAt && now >= this.#renewNotBefore && !this.#flight)
        // Who waits for it handles its failure; nobody may.
        this.#fly().catch(() => undefined)
      return kept.value
    }
    if (!this.#flight && this.#failed && now < this.#failed.until)
      return this.#settleFor(kept, this.#failed.error)
    return (this.#flight ?? this.#fly()).catch((error: unknown) => this.#settleFor(kept, error))
  }

  /**
   * The host refused the credential; `isIt` says whether a given one is what was refused, where that is known. The
   * next `current` waits for another.
   */
  refused(isIt: (value: T) => boolean = () => true): void {
    const kept = this.#kept
    const now = this.#clock()
    if (!kept || this.#isSuspect || !isIt(kept.value)) return
    if (now - this.#refusedAt < Math.min(REFUSAL_GAP_MS, kept.lifeMs / 2)) return
    this.#refusedAt = now
    this.#isSuspect = true
  }

  close(): void {
    this.#closing.abort(new Error('closed'))
    this.#kept = undefined
  }

  /** A refused credential is better than none while it lasts. */
  async #settleFor(kept: Kept<T> | undefined, error: unknown): Promise<T> {
    if (kept && this.#kept === kept && this.#clock() < kept.endsAt) return kept.value
    throw error
  }

  #fly(): Promise<T> {
    this.#flight = this.#fetchWithRetries()
      .then(
        (fetched) => this.#keep(fetched),
        (cause: unknown) => {
          throw this.#noteFailure(cause)
        }
      )
      .finally(() => {
        this.#flight = undefined
      })
    return this.#flight
  }

  #keep(fetched: FetchedCredential<T>): T {
    const now = this.#clock()
    const { value } = fetched
    const givenMs = fetched.lifeMs ?? Number.POSITIVE_INFINITY
    const lifeMs = givenMs > 0 ? givenMs : LIFE_UNKNOWN_MS
    const refreshAfterMs = Math.max(lifeMs * RENEW_AT_LIFE, lifeMs - RENEW_AHEAD_MS)
    if (!this.#closing.signal.aborted)
      this.#kept = { value, lifeMs, refreshAt: now + refreshAfterMs, endsAt: now + lifeMs }
    this.#isSuspect = false
    this.#failures = 0
    this.#failed = undefined
    this.#renewNotBefore = 0
    return value
  }

  #noteFailure(cause: unknown): GatewayError {
    const now = this.#clock()
    const error = this.#toError(this.#describe(cause))
    const growth = 2 ** Math.min(this.#failures++, 10)
    const leftMs = (this.#kept?.endsAt ?? 0) - now
    if (leftMs > 0) {
      const pauseMs = Math.min(RENEW_PAUSE_MS.first * growth, RENEW_PAUSE_MS.most)
      // Near the end a long pause would pass the last chances.
      this.#renewNotBefore = now + Math.min(pauseMs, leftMs / 4)
    }
    if (leftMs <= 0 || this.#isSuspect) {
      const pauseMs = Math.min(FAILED_PAUSE_MS.first * growth, FAILED_PAUSE_MS.most)
      this.#failed = { error, until: now + pauseMs }
    }
    return error
  }

  async #fetchWithRetries(): Promise<FetchedCredential<T>> {
    const deadline = AbortSignal.any([
      AbortSignal.timeout(this.#options.deadlineMs ?? DEADLINE_MS),
      this.#closing.signal,
    ])
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#fetchOnce(deadline)
      } catch (error) {
        if (deadline.aborted || attempt === ATTEMPTS) throw error
        const pauseMs = (this.#options.pauseMs ?? FIRST_PAUSE_MS) * 2 ** (attempt - 1)
        await untilAborted(deadline, Bun.sleep(pauseMs)).catch(() => {
          throw error
        })
      }
    }
  }

  #fetchOnce(deadline: AbortSignal): Promise<FetchedCredential<T>> {
    const attempt = AbortSignal.timeout(this.#options.attemptMs ?? ATTEMPT_MS)
    const signal = AbortSignal.any([deadline, attempt])
    return untilAborted(signal, this.#options.obtain(signal))
  }

  #toError(detail: string): GatewayError {
    const message = `the gateway could not get ${this.#options.noun} for the provider`
    return new GatewayError('upstream_unauthorized', message, { detail })
  }

  /** What a library said, without what must stay secret; its error itself can hold the whole request. */
  #describe(cause: unknown): string {
    const causes: string[] = []
    for (let error = cause; error instanceof Error && causes.length < 3; error = error.cause)
      causes.push(`${error.name}: ${error.message}`)
    let text = causes.join('; ')
    for (const secret of this.#options.secrets ?? [])
      if (secret && secret.length >= MIN_SECRET_CHARACTERS)
        text = text.replaceAll(secret, '[secret]')
    return text.replaceAll(/\s+/g, ' ').slice(0, MAX_DETAIL_CHARACTERS)
  }
}

/** `work`, or the signal's reason where that comes first. */
async function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
    // What is left behind may still fail; nobody listens any more.
    work.catch(() => undefined)
  }
}
