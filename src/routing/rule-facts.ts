import type { RULE_VARIABLES } from '../config/rule-language'
import { DEFAULT_ORGANIZATION } from '../limits/subject'
import type { RequestNeeds } from './requirements'
import type { PlanRequest, RouteCall } from './route-caller'
import type { RouteSignals } from './route-signals'

export type RuleFactsOptions = {
  readonly request: PlanRequest
  readonly needs: RequestNeeds
  readonly signals: RouteSignals
  /** Headers that some rule reads, as they are written there. */
  readonly headers: readonly string[]
}

/** What rules read of one request. Each fact is found out when a rule asks for it. */
export class RuleFacts implements Record<keyof typeof RULE_VARIABLES, unknown> {
  /** By which `hour` and `weekday` go; set for each condition. */
  clock: LocalClock = () => UNKNOWN_TIME
  readonly #options: RuleFactsOptions
  #headers: Map<string, string> | undefined
  #labels: ReturnType<RouteCall['labels']> | undefined

  constructor(options: RuleFactsOptions) {
    this.#options = options
  }

  get #request(): PlanRequest {
    return this.#options.request
  }

  get #said(): ReturnType<RouteCall['labels']> {
    return (this.#labels ??= this.#request.call.labels())
  }

  get model(): string {
    return this.#request.envelope.model
  }

  get key(): string {
    return this.#request.caller?.name ?? ''
  }

  get team(): string {
    return this.#request.caller?.team ?? ''
  }

  get organization(): string {
    return this.#request.caller?.organization ?? DEFAULT_ORGANIZATION
  }

  get user(): string {
    return this.#said.user ?? this.#request.envelope.user ?? ''
  }

  get session(): string {
    return this.#said.session ?? ''
  }

  get tags(): readonly string[] {
    return this.#said.tags
  }

  get headers(): ReadonlyMap<string, string> {
    if (this.#headers !== undefined) return this.#headers
    const headers = new Map<string, string>()
    for (const name of this.#options.headers) {
      const value = this.#request.call.header(name.toLowerCase())
      if (value !== null) headers.set(name, value)
    }
    return (this.#headers = headers)
  }

  get body_bytes(): bigint {
    return BigInt(this.#request.envelope.body.length)
  }

  get estimated_tokens(): bigint {
    return BigInt(this.#options.needs.estimatedTokens())
  }

  /** 0 where the request does not say. */
  get max_tokens(): bigint {
    return BigInt(this.#request.envelope.outputLimit ?? 0)
  }

  get stream(): boolean {
    return this.#request.envelope.stream
  }

  get has_tools(): boolean {
    return this.#options.needs.has('tools')
  }

  get has_vision(): boolean {
    return this.#options.needs.has('vision')
  }

  get wants_json_schema(): boolean {
    return this.#options.needs.has('schema')
  }

  get hour(): bigint {
    return this.clock(this.#options.signals.nowMs()).hour
  }

  get weekday(): bigint {
    return this.clock(this.#options.signals.nowMs()).weekday
  }

  get time(): Date {
    return new Date(this.#options.signals.nowMs())
  }

  /** USD; without a budget there is no end of it. */
  budgetRemaining(subject: string): number {
    const { request, signals } = this.#options
    return signals.budgetRemaining(subject, request.caller?.allLimits ?? []) ?? Infinity
  }
}

/** The hour of day and the day of the week (1 is Monday, 7 is Sunday) in a time zone. */
export type LocalTime = { readonly hour: bigint; readonly weekday: bigint }

export type LocalClock = (nowMs: number) => LocalTime

const UNKNOWN_TIME: LocalTime = { hour: 0n, weekday: 1n }
const MINUTE_MS = 60_000
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** Reads clocks of a time zone. It looks once a minute: a calendar takes longer than a rule. */
export function createLocalClock(timezone: string): LocalClock {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    hour: 'numeric',
    weekday: 'short',
    hourCycle: 'h23',
  })
  let minute = -1
  let local = UNKNOWN_TIME
  return (nowMs) => {
    const now = Math.floor(nowMs / MINUTE_MS)
    if (now === minute) return local
    minute = now
    const parts = Object.fromEntries(
      format.formatToParts(nowMs).map(({ type, value }) => [type, value])
    )
    const weekday = WEEKDAYS.indexOf(parts['weekday'] ?? '') + 1
    local = { hour: BigInt(parts['hour'] ?? 0), weekday: BigInt(weekday) }
    return local
  }
}
