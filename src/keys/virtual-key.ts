import type { OwnLimit } from '../ledger/account-book'

/** A key that we issued, as the way of a request reads it. A change makes a new one. */
export type VirtualKey = {
  id: string
  name: string
  enabled: boolean
  revokedAtMs: number | undefined
  expiresAtMs: number | undefined
  /** Globs over `provider/model` of the key itself; an empty list allows every model. */
  models: readonly string[]
  /** Whether bodies are kept; `undefined` leaves it to the configuration. */
  bodies: KeyBodies | undefined
  createdAtMs: number
  /** The name of its organization, and of its team if it is in one. */
  organization: string
  team: string | undefined
  /** What a request must carry. */
  headers: readonly RequiredHeader[]
  /** The key, its team and its organization, in this order: each must allow a model. */
  levels: readonly Level[]
  /** Budgets and limits of the key itself. */
  limits: readonly OwnLimit[]
  /** Those of every level. */
  allLimits: readonly OwnLimit[]
}

export type KeyBodies = 'off' | 'full'

export type LevelKind = 'key' | 'team' | 'organization'

/** One of those that a request answers to. */
export type Level = {
  readonly kind: LevelKind
  readonly id: string
  readonly name: string
  readonly rights: Rights
  /** Whether requests may bring fallbacks of their own; `undefined`: of a key no, of others as the key has it. */
  readonly fallbacks?: boolean | undefined
  /** False: no other model may answer in the place of the one that was asked for. */
  readonly equivalents?: boolean | undefined
  /** In the place of a route's own weights. */
  readonly weights?: Weights | undefined
  readonly limits: readonly OwnLimit[]
}

/** Shares by the names of providers; 0 is only for when all others fail. */
export type Weights = Readonly<Record<string, number>>

/** Lists of globs. An allow list that is not empty denies all else; a deny list wins over it. */
export type Rights = {
  /** Over `provider/model`. */
  readonly models: readonly string[]
  readonly deniedModels: readonly string[]
  /** Over names of providers. */
  readonly providers: readonly string[]
  readonly deniedProviders: readonly string[]
  /** Over `provider/name`, for providers with several credentials. Of one that no entry names all may be used. */
  readonly credentials: readonly string[]
  /** Over names of tools that don't run at the client. */
  readonly tools: readonly string[]
  readonly deniedTools: readonly string[]
}

/** A header's name in lower case, and a glob over its value. */
export type RequiredHeader = { readonly name: string; readonly value: string }

export type KeyState = 'active' | 'disabled' | 'expired' | 'revoked'

/** What a key is good for at a time: only an active one opens anything. */
export function keyState(
  key: Pick<VirtualKey, 'enabled' | 'revokedAtMs' | 'expiresAtMs'>,
  nowMs: number
): KeyState {
  if (key.revokedAtMs !== undefined) return 'revoked'
  if (!key.enabled) return 'disabled'
  if (key.expiresAtMs !== undefined && nowMs >= key.expiresAtMs) return 'expired'
  return 'active'
}
