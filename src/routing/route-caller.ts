import type { VirtualKey } from '../keys/virtual-key'
import type { OwnLimit } from '../ledger/account-book'
import type { Envelope } from '../protocols/envelope'

/** Who asks, as far as a plan is concerned; `undefined` stands for whoever has no key. */
export type RouteCaller = Pick<VirtualKey, 'name' | 'organization' | 'team' | 'levels'> & {
  /** Budgets and limits of the key, its team and its organization. */
  readonly allLimits: readonly OwnLimit[]
}

/** What a plan is made for. What takes work is a function: most plans need none of it. */
export type PlanRequest = {
  readonly caller: RouteCaller | undefined
  readonly envelope: Envelope
  /** `boundInput` of the body: the most input tokens that it can be. */
  boundTokens(): number
  readonly call: RouteCall
}

/** What the client's side says beside the body. */
export type RouteCall = {
  /** A header's value by its name in lower case; `null` where there is none. */
  header(name: string): string | null
  /** Whom and what the request is for. */
  labels(): {
    readonly user: string | undefined
    readonly session: string | undefined
    readonly tags: readonly string[]
  }
}
