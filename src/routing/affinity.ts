import { isPlainFirstTurn, readConversation } from '../protocols/conversation'
import type { Plan, PlannedTarget } from './plan'
import type { PlanRequest } from './route-caller'
import type { RouteSignals } from './route-signals'
import type { Target } from './target'

/** Where the last turn of a conversation was served. */
type Place = {
  readonly target: string
  /** Which of the provider's several credentials; `undefined` where there is one. */
  readonly credential: string | undefined
  readonly atMs: number
}

export type AffinityOptions = {
  /** Conversations that are remembered; those that were served longest ago are forgotten first. */
  maxConversations?: number
  /** One that rests for longer is forgotten: no provider keeps a prompt warm for so long. */
  idleMs?: number
}

/**
 * Which target and credential served each conversation last, so that its next turn finds its prompt in the provider's
 * cache. It outlives configurations.
 */
export class AffinityBook {
  readonly #now: () => number
  readonly #maxConversations: number
  readonly #idleMs: number
  readonly #places = new Map<number, Place>()

  /** `now` gives monotonic milliseconds. */
  constructor(
    now: () => number,
    { maxConversations = 100_000, idleMs = 3_600_000 }: AffinityOptions = {}
  ) {
    this.#now = now
    this.#maxConversations = maxConversations
    this.#idleMs = idleMs
  }

  /** A turn of the conversation was answered by the target. */
  record({ key }: Conversation, { name, provider }: Target): void {
    this.#places.delete(key)
    if (this.#places.size >= this.#maxConversations) this.#forgetFirst()
    const atMs = this.#now()
    this.#places.set(key, { target: name, credential: provider.credentialName, atMs })
  }

  find({ key }: Conversation): Place | undefined {
    const place = this.#places.get(key)
    if (place === undefined || this.#now() - place.atMs <= this.#idleMs) return place
    this.#places.delete(key)
    return undefined
  }

  get size(): number {
    return this.#places.size
  }

  #forgetFirst(): void {
    for (const first of this.#places.keys()) {
      this.#places.delete(first)
      return
    }
  }
}

/** A target that takes so many times as long to its first token as another one does is left. */
const MUCH_SLOWER = 4

/** What clients call their session in; the last two are Codex's and OpenCode's. */
const SESSION_HEADERS = ['x-tg-session', 'session_id', 'x-opencode-session'] as const

export type PlacedPlan = {
  readonly plan: Plan
  /** The name that the client asked for; conversations are told apart by it. */
  readonly model: string
  /** Another target than the strategy's first may come first: it was a route that was asked for. */
  readonly mayMove: boolean
}

/**
 * The plan with the target first that served the conversation's last turn, unless it is much slower than another; its
 * credential is preferred to others of the pool. A conversation is told by its session, else by `prompt_cache_key`, else
 * by what all of its turns begin with; a first turn that nothing else tells goes where the strategy puts it. Whether the
 * target is well, the turn finds out.
 */
export function keepPlace(
  { plan, model, mayMove }: PlacedPlan,
  request: PlanRequest,
  book: AffinityBook,
  signals: RouteSignals
): Plan {
  if (!(mayMove && plan.targets.length > 1) && !plan.targets.some(hasPool)) return plan
  if (request.envelope.operation !== 'generate') return plan
  const conversation = new Conversation(request, model)
  const place = conversation.isFollowed ? book.find(conversation) : undefined
  if (place === undefined) return { ...plan, conversation }
  return { ...plan, conversation, targets: arrange(plan.targets, place, mayMove, signals) }
}

const hasPool = ({ target }: PlannedTarget) => target.provider.pool !== undefined

/** Which conversation a request is a turn of; found out no sooner than it is asked for. */
export class Conversation {
  readonly #request: PlanRequest
  readonly #model: string
  readonly #session: string | undefined
  #key: number | undefined
  #isNamed: boolean

  constructor(request: PlanRequest, model: string) {
    this.#request = request
    this.#model = model
    this.#session = sessionOf(request.call)
    this.#isNamed = this.#session !== undefined
  }

  /** It goes where its last turn went: it has a name, or is no first turn. */
  get isFollowed(): boolean {
    if (this.#isNamed) return true
    if (isPlainFirstTurn(this.#request.envelope.body)) return false
    const found = this.#read()
    return found !== undefined && (found.cacheKey !== undefined || !found.isFirstTurn)
  }

  /** Tells it from others, of other callers and models too. */
  get key(): number {
    if (this.#key === undefined) this.#read()
    return (this.#key ??= this.#seed())
  }

  #seed(): number {
    const { caller } = this.#request
    return Bun.hash.xxHash32(`${caller?.name ?? ''}\n${this.#model}\n${this.#session ?? ''}`)
  }

  #read() {
    const seed = this.#seed()
    if (this.#isNamed) {
      this.#key = seed
      return undefined
    }
    const found = readConversation(this.#request.envelope.body, seed)
    const { cacheKey, hash } = found ?? {}
    this.#key = cacheKey === undefined ? hash : Bun.hash.xxHash32(cacheKey, seed)
    return found
  }
}

function sessionOf(call: PlanRequest['call']): string | undefined {
  for (const name of SESSION_HEADERS) {
    const session = call.header(name)?.trim()
    if (session) return session
  }
  return undefined
}

function arrange(
  targets: readonly PlannedTarget[],
  place: Place,
  mayMove: boolean,
  signals: RouteSignals
): readonly PlannedTarget[] {
  const at = targets.findIndex(({ target }) => target.name === place.target)
  const planned = targets[at]
  const moves = at > 0 && mayMove
  if (planned === undefined || (moves && isMuchSlower(planned, targets, signals))) return targets
  const kept = { ...planned, preferredCredential: place.credential }
  if (!moves) return targets.with(at, kept)
  const others = targets.filter((other) => other !== planned)
  return [{ ...kept, reason: `it served this conversation before, ${planned.reason}` }, ...others]
}

function isMuchSlower(
  { target }: PlannedTarget,
  targets: readonly PlannedTarget[],
  signals: RouteSignals
): boolean {
  const latencyMs = signals.latencyMs(target)
  if (latencyMs === undefined) return false
  return targets.some((other) => {
    const otherMs = other.target === target ? undefined : signals.latencyMs(other.target)
    return otherMs !== undefined && latencyMs >= MUCH_SLOWER * otherMs
  })
}
