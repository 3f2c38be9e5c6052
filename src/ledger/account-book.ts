import { z } from 'zod'
import { isForAdmission, type Limit } from '../limits/limit'
import { type Dimensions, type Subject, toAccountName, toCounterKey } from '../limits/subject'
import { Account, type Spent } from './account'

/** A limit that belongs to one key, team or organization, and the key of its counter, e.g. the key's id. */
export type OwnLimit = { readonly limit: Limit; readonly name: string }

/** Counters of one limit; beyond so many those are forgotten that have nothing to say, or can be read again. */
const MANY_ACCOUNTS = 100_000
/** Who asked within it is likely to ask again. */
const IDLE_MS = 5 * 60_000

type Counters = { limit: Limit; readonly accounts: Map<string, Account>; sweepAt: number }

/** Names one account: its limit, and which of that limit's. */
export type CounterName = { readonly limitId: string; readonly name: string }

/** What a checkpoint has of an account: it is read when the account is first asked for. */
export type StoredCounter = {
  /** The last entry that it counts. */
  readonly through: number
  /** JSON of `Spent`. */
  readonly stretches: string
}

/** Every account there is, by limit and name. Accounts are made when a request first falls on them. */
export class AccountBook {
  readonly #counters = new Map<string, Counters>()
  /** What the last checkpoint has of accounts that nobody has asked for yet, by limit and key. */
  readonly #stored = new Map<string, Map<string, StoredCounter>>()
  /** Up to which entry accounts were read of a checkpoint, until the start is over. */
  readonly #through = new Map<Account, number>()
  readonly #changed: Account[] = []
  /** Limits of which some accounts stand only in the checkpoint. */
  readonly #partial = new Set<string>()
  readonly #manyAccounts: number
  #isStarting = false
  #limits: readonly Limit[] = []
  #atAdmission: readonly Counters[] = []
  #atAttempt: readonly Counters[] = []

  constructor(limits: readonly Limit[], { manyAccounts = MANY_ACCOUNTS } = {}) {
    this.#manyAccounts = manyAccounts
    this.configure(limits)
  }

  /** Counts by these limits from now on. One that counts the same as before keeps its counters, whatever its amount. */
  configure(limits: readonly Limit[]): void {
    const kept = new Set(limits.map(({ id }) => id))
    for (const { id } of this.#limits)
      if (!kept.has(id)) {
        this.#counters.delete(id)
        this.#stored.delete(id)
        this.#partial.delete(id)
      }
    this.#limits = limits
    const counted = limits.map((limit) => this.#countersOf(limit))
    for (const counters of counted)
      for (const account of counters.accounts.values()) account.limit = counters.limit
    this.#atAdmission = counted.filter(({ limit }) => isForAdmission(limit))
    this.#atAttempt = counted.filter(({ limit }) => !isForAdmission(limit))
  }

  /** Every account that has counted something is in memory. */
  get isWhole(): boolean {
    return this.#partial.size === 0
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

  /** The accounts that count a subject and nothing more special, each part of it having a name. */
  ofSubject(subject: Subject, own: readonly OwnLimit[], nowMs: number): Account[] {
    const of: Dimensions = { ...NOBODY, ...dimensionsOf(subject) }
    const found: Account[] = []
    for (const limit of this.#limits) {
      const key = isAlike(limit.subject, subject) ? toCounterKey(limit.subject, of) : undefined
      if (key !== undefined) found.push(this.account(limit, key, nowMs))
    }
    for (const { limit, name } of own)
      if (isAlike(limit.subject, subject) && toCounterKey(limit.subject, of) !== undefined)
        found.push(this.account(limit, name, nowMs))
    return found
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
    const counters = { limit, accounts: new Map<string, Account>(), sweepAt: this.#manyAccounts }
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
    if (counters.accounts.size >= counters.sweepAt && !this.#isStarting)
      this.#sweep(counters, nowMs)
    const account = new Account(toAccountName(limit.subject, key), limit, key, this.#changed)
    counters.accounts.set(key, account)
    this.#load(account, nowMs)
    return account
  }

  #load(account: Account, nowMs: number): void {
    const ofLimit = this.#stored.get(account.limit.id)
    const stored = ofLimit?.get(account.key)
    if (ofLimit === undefined || stored === undefined) return
    ofLimit.delete(account.key)
    account.advance(nowMs)
    account.load(parseSpent(stored.stretches))
    this.#through.set(account, stored.through)
  }

  /** Forgets what has nothing to remember, and what nobody asks for. */
  #sweep(counters: Counters, nowMs: number): void {
    const { limit, accounts } = counters
    let isPartial = false
    for (const [name, account] of accounts) {
      const isStored = account.isStored(nowMs - IDLE_MS)
      account.advance(nowMs)
      if (!account.isIdle && !isStored) continue
      isPartial ||= !account.isIdle
      accounts.delete(name)
    }
    if (isPartial) this.#partial.add(limit.id)
    counters.sweepAt = Math.max(this.#manyAccounts, 2 * accounts.size)
  }

  /** Accounts of a limit have to be read of the checkpoint one by one. */
  markPartial(limitId: string): void {
    this.#partial.add(limitId)
  }

  /** The accounts of a request that have to be read of the checkpoint first, and handed to `store`. */
  missing(of: Dimensions, own: readonly OwnLimit[]): CounterName[] {
    const missing: CounterName[] = []
    if (this.#partial.size === 0) return missing
    const look = (limitId: string, name: string | undefined) => {
      if (name === undefined || !this.#partial.has(limitId)) return
      if (this.#counters.get(limitId)?.accounts.has(name) || this.#stored.get(limitId)?.has(name))
        return
      missing.push({ limitId, name })
    }
    for (const limit of this.#limits) look(limit.id, toCounterKey(limit.subject, of))
    for (const { limit, name } of own) look(limit.id, name)
    return missing
  }

  /** Has what a checkpoint says of an account ready for whoever asks for it first. */
  store(limitId: string, key: string, stored: StoredCounter): void {
    if (this.#counters.get(limitId)?.accounts.has(key)) return
    let ofLimit = this.#stored.get(limitId)
    if (ofLimit === undefined) this.#stored.set(limitId, (ofLimit = new Map()))
    ofLimit.set(key, stored)
  }

  /** Adds what was spent under a limit before it was there; nothing where it is gone again. */
  addHistory(limitId: string, key: string, spent: Spent, nowMs: number): void {
    const counters = this.#counters.get(limitId)
    if (counters === undefined) return
    const account = this.#find(counters, key, nowMs)
    account.advance(nowMs)
    account.addHistory(spent)
  }

  /** The last entry that an account had counted when it was read of a checkpoint; 0 where it was not. */
  countedThrough(account: Account): number {
    return this.#through.get(account) ?? 0
  }

  /** Entries are being counted: nothing is forgotten meanwhile. */
  beginStart(): void {
    this.#isStarting = true
  }

  /** Every entry is counted. */
  endStart(): void {
    this.#isStarting = false
    this.#through.clear()
  }

  /** The accounts that have spent something since the last call, or since they were made. */
  takeChanged(): Account[] {
    return this.#changed.splice(0)
  }

  /** The account counts what comes: its limit is there, and it was not forgotten. */
  holds(account: Account): boolean {
    return this.#counters.get(account.limit.id)?.accounts.get(account.key) === account
  }

  get hasChanged(): boolean {
    return this.#changed.length > 0
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

const NOBODY: Dimensions = {
  ...{ organization: '', team: undefined, key: undefined, keyId: undefined },
  ...{ user: undefined, session: undefined, tags: [] },
}

function dimensionsOf({ parts }: Subject): Partial<Dimensions> {
  return Object.fromEntries(
    parts.map(({ dimension, name }) => (dimension === 'tag' ? ['tags', [name]] : [dimension, name]))
  )
}

/** Both tell requests apart by the same. */
function isAlike({ parts }: Subject, other: Subject): boolean {
  return (
    parts.length === other.parts.length &&
    parts.every(({ dimension }) => other.parts.some((part) => part.dimension === dimension))
  )
}

/** Throws where the text holds something else than was written for an account. */
function parseSpent(json: string): Spent {
  return spentSchema.parse(JSON.parse(json))
}

/** What a checkpoint keeps of a counter. */
export const spentSchema = z.array(z.tuple([z.number(), z.number()]))
