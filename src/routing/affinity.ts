import { isPlainFirstTurn, readConversation } from '../protocols/conversation'
import { changePlan, type Plan, type PlannedTarget } from './plan'
import type { PlanRequest } from './route-caller'
import type { RouteSignals } from './route-signals'
import type { Target } from './target'

/** Where the last turn of a conversation was served. */
type Place = {
  readonly target: string
  /** The name that the client asked for. */
  readonly model: string
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
  /** How many of them there are for each name that clients asked for. */
  readonly #counts = new Map<string, number>()

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
  record(conversation: Conversation, { name, provider }: Target): void {
    const { model } = conversation
    const isUsual = conversation.usualTarget === name
    if (isUsual && !this.knows(model)) return
    this.#forgetIdle()
    const { key } = conversation
    this.#forget(key)
    // There the next turn goes by itself.
    if (isUsual) return
    if (this.#places.size >= this.#maxConversations) this.#forgetFirst()
    const atMs = this.#now()
    this.#places.set(key, { target: name, model, credential: provider.credentialName, atMs })
    this.#counts.set(model, (this.#counts.get(model) ?? 0) + 1)
  }

  /** Some conversation with a model, or a route, has its place: others need not be told apart. */
  knows(model: string): boolean {
    return this.#counts.has(model)
  }

  find({ key }: Conversation): Place | undefined {
    this.#forgetIdle()
    return this.#places.get(key)
  }

  get size(): number {
    return this.#places.size
  }

  #forgetFirst(): void {
    for (const first of this.#places.keys()) return this.#forget(first)
  }

  /** They stand in the order in which they were served. */
  #forgetIdle(): void {
    const servedSinceMs = this.#now() - this.#idleMs
    for (const [key, { atMs }] of this.#places) {
      if (atMs >= servedSinceMs) return
      this.#forget(key)
    }
  }

  #forget(key: number): void {
    const place = this.#places.get(key)
    if (place === undefined) return
    this.#places.delete(key)
    const count = this.#counts.get(place.model) ?? 0
    if (count > 1) this.#counts.set(place.model, count - 1)
    else this.#counts.delete(place.model)
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
  const first = plan.isFixed ? plan.targets[0]?.target : undefined
  const usual = first && first.provider.pool === undefined ? first.name : undefined
  const conversation = new Conversation(request, model, usual)
  const isSought = book.knows(model) && conversation.isFollowed
  const place = isSought ? book.find(conversation) : undefined
  if (place === undefined) return { ...plan, conversation }
  const targets = arrange(plan.targets, place, mayMove, signals)
  return changePlan(plan, { conversation, targets })
}

const hasPool = ({ target }: PlannedTarget) => target.provider.pool !== undefined

/** Which conversation a request is a turn of; found out no sooner than it is asked for. */
export class Conversation {
  /** What the client asked for. */
  readonly model: string
  /** Where each of its turns goes that has no other place; `undefined` where that depends. */
  readonly usualTarget: string | undefined
  readonly #request: PlanRequest
  #key: number | undefined

  constructor(request: PlanRequest, model: string, usualTarget: string | undefined) {
    this.#request = request
    this.model = model
    this.usualTarget = usualTarget
  }

  /** It goes where its last turn went: it has a name, or is no first turn. */
  get isFollowed(): boolean {
    if (sessionOf(this.#request.call) !== undefined) return true
    if (isPlainFirstTurn(this.#request.envelope.body)) return false
    const found = this.#read()
    return found !== undefined && (found.cacheKey !== undefined || !found.isFirstTurn)
  }

  /** Tells it from others, of other callers and models too. */
  get key(): number {
    if (this.#key === undefined) this.#read()
    return this.#key ?? 0
  }

  #read() {
    const { caller, call } = this.#request
    const session = sessionOf(call)
    const seed = Bun.hash.xxHash32(`${caller?.name ?? ''}\n${this.model}\n${session ?? ''}`)
    this.#key = seed
    if (session !== undefined) return undefined
    const found = readConversation(this.#request.envelope.body, seed)
    const { cacheKey, hash } = found ?? {}
    if (cacheKey !== undefined) this.#key = Bun.hash.xxHash32(cacheKey, seed)
    else if (hash !== undefined) this.#key = hash
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
