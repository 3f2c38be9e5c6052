import { isForAdmission, type Limit } from '../limits/limit'
import { type Dimensions, toAccountName, toCounterKey } from '../limits/subject'
import { Account } from './account'

/** A limit that belongs to one key, team or organization, and the key of its counter, e.g. the key's id. */
export type OwnLimit = { readonly limit: Limit; readonly name: string }

/** Counters of one limit; beyond so many the idle ones are forgotten. */
const MANY_ACCOUNTS = 100_000

type Counters = { limit: Limit; readonly accounts: Map<string, Account>; sweepAt: number }

/** Every account there is, by limit and name. Accounts are made when a request first falls on them. */
export class AccountBook {
  readonly #counters = new Map<string, Counters>()
  #limits: readonly Limit[] = []
  #atAdmission: readonly Counters[] = []
  #atAttempt: readonly Counters[] = []

  constructor(limits: readonly Limit[]) {
    this.configure(limits)
  }

  /** Counts by these limits from now on. One that counts the same as before keeps its counters, whatever its amount. */
  configure(limits: readonly Limit[]): void {
    const kept = new Set(limits.map(({ id }) => id))
    for (const { id } of this.#limits) if (!kept.has(id)) this.#counters.delete(id)
    this.#limits = limits
    const counted = limits.map((limit) => this.#countersOf(limit))
    for (const counters of counted)
      for (const account of counters.accounts.values()) account.limit = counters.limit
    this.#atAdmission = counted.filter(({ limit }) => isForAdmission(limit))
    this.#atAttempt = counted.filter(({ limit }) => !isForAdmission(limit))
  }

  get isEmpty(): boolean {
    return this.#limits.length === 0
  }

  /** The accounts that count a request as it comes. */
  atAdmission(of: Dimensions, own: readonly OwnLimit[], nowMs: number): Account[] {
    return this.#list(this.#atAdmission, own, true, of, nowMs)
  }

  /** The accounts that count an attempt, whose target is part of `of`. */
  atAttempt(of: Dimensions, own: readonly OwnLimit[], nowMs: number): Account[] {
    return this.#list(this.#atAttempt, own, false, of, nowMs)
  }

  /** The account of a limit by name, made where there is none. */
  account(limit: Limit, name: string, nowMs: number): Account {
    return this.#find(this.#countersOf(limit), name, nowMs)
  }

  #countersOf(limit: Limit): Counters {
    const known = this.#counters.get(limit.id)
    if (known) {
      known.limit = limit
      return known
    }
    const counters = { limit, accounts: new Map<string, Account>(), sweepAt: MANY_ACCOUNTS }
    this.#counters.set(limit.id, counters)
    return counters
  }

  #find(counters: Counters, key: string, nowMs: number): Account {
    const { limit } = counters
    const known = counters.accounts.get(key)
    if (known) {
      // A key's own limit may have been written anew.
      if (known.limit !== limit) known.limit = limit
      return known
    }
    if (counters.accounts.size >= counters.sweepAt) sweep(counters, nowMs)
    const account = new Account(toAccountName(limit.subject, key), limit, key)
    counters.accounts.set(key, account)
    return account
  }

  *accounts(): Generator<Account> {
    for (const { accounts } of this.#counters.values()) yield* accounts.values()
  }

  #list(
    counted: readonly Counters[],
    own: readonly OwnLimit[],
    isAdmission: boolean,
    of: Dimensions,
    nowMs: number
  ): Account[] {
    const found: Account[] = []
    for (const counters of counted) {
      const key = toCounterKey(counters.limit.subject, of)
      if (key !== undefined) found.push(this.#find(counters, key, nowMs))
    }
    for (const { limit, name } of own)
      if (isForAdmission(limit) === isAdmission) found.push(this.account(limit, name, nowMs))
    return found
  }
}

/** Forgets what has nothing to remember. */
function sweep(counters: Counters, nowMs: number): void {
  for (const [name, account] of counters.accounts) {
    account.advance(nowMs)
    if (account.isIdle) counters.accounts.delete(name)
  }
  counters.sweepAt = Math.max(MANY_ACCOUNTS, 2 * counters.accounts.size)
}
