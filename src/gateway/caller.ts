import type { Level } from '../keys/virtual-key'
import type { OwnLimit } from '../ledger/account-book'

/** A header's value by its name in lower case; `null` where there is none. */
export type HeaderReader = (name: string) => string | null

/** Who calls, as far as the pipeline cares. */
export type Caller = {
  id: string
  name: string
  /** Whether its bodies are kept; `undefined` leaves it to the settings. */
  bodies: 'off' | 'full' | undefined
  /** The names of its organization, and of its team if it is in one. */
  organization: string
  team: string | undefined
  /** The key, its team and its organization: each must allow a model. */
  levels: readonly Level[]
  /** Budgets and limits of all of these. */
  allLimits: readonly OwnLimit[]
}
