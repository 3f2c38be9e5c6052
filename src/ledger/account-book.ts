import { isForAdmission, type Limit } from '../limits/limit'
import { type Dimensions, toAccountName } from '../limits/subject'
import { Account } from './account'

/** A limit that belongs to one key, team or organization, and the name of its counter, e.g. `key/ID`. */
export type OwnLimit = { readonly limit: Limit; readonly name: string }

/** Counters of one limit; beyond so many the idle ones are forgotten. */
const MANY_ACCOUNTS = 100_000

type Counters = { limit: Limit; readonly accounts: Map<string, Account>; sweepAt: number }

/** Every account there is, by limit and name. Accounts are made when a request first falls on them. */
export class AccountBook {
  readonly #counters = new Map<string, Counters>()
  #limits: readonly Limit[] = []
  #atAdmission: readonly Limit[] = []
  #atAttempt: readonly Limit[] = []

  constructor(limits: readonly Limit[]) {
    this.configure(limits)
  }

  /** Counts by these limits from now on. One that counts the same as before keeps its counters, whatever its amount. */
  configure(limits: readonly Limit[]): void {
    const kept = new Set(limits.map(({ id }) => id))
    for (const { id } of this.#limits) if (!kept.has(id)) this.#counters.delete(id)
    this.#limits = limits
    this.#atAdmission = limits.filter(isForAdmission)
    this.#atAttempt = limits.filter((limit) => !isForAdmission(limit))
    for (const limit of limits) {
      const counters = this.#counters.get(limit.id)
      if (counters === undefined) continue
      counters.limit = limit
      for (const account of counters.accounts.values()) account.limit = limit
    }
  }

  get isEmpty(): boolean {
    return this.#limits.length === 0
  }

  /** The accounts that count a request as it comes. */
  atAdmission(of: Dimensions, own: readonly OwnLimit[], nowMs: number): Account[] {
    return this.#find(this.#atAdmission, own, true, of, nowMs)
  }

  /** The accounts that count an attempt, whose target is part of `of`. */
  atAttempt(of: Dimensions, own: readonly OwnLimit[], nowMs: number): Account[] {
    return this.#find(this.#atAttempt, own, false, of, nowMs)
  }

  /** The account of a limit by name, made where there is none. */
  account(limit: Limit, name: string, nowMs: number): Account {
    let counters = this.#counters.get(limit.id)
    if (counters === undefined) {
      counters = { limit, accounts: new Map(), sweepAt: MANY_ACCOUNTS }
      this.#counters.set(limit.id, counters)
    }
    const known = counters.accounts.get(name)
    if (known) {
      // A key's own limit may have been written anew.
      if (known.limit !== limit) known.limit = limit
      return known
    }
    if (counters.accounts.size >= counters.sweepAt) sweep(counters, nowMs)
    const account = new Account(name, limit)
    counters.accounts.set(name, account)
    return account
  }

  *accounts(): Generator<Account> {
    for (const { accounts } of this.#counters.values()) yield* accounts.values()
  }

  #find(
    limits: readonly Limit[],
    own: readonly OwnLimit[],
    isAdmission: boolean,
    of: Dimensions,
    nowMs: number
  ): Account[] {
    const found: Account[] = []
    for (const limit of limits) {
      const name = toAccountName(limit.subject, of)
      if (name !== undefined) found.push(this.account(limit, name, nowMs))
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
