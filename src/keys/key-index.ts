import type { PreviousTokenRow, TokenKind } from '../db/state-schema'
import type { LimitTemplate } from '../limits/limit-text'
import { DEFAULT_ORGANIZATION } from '../limits/subject'
import { createDigest, DigestTable } from './digest-table'
import { GroupBook, type IndexedGroup, toLevel } from './groups'
import { type IndexedKey, KeyColumns } from './key-columns'
import { ProfileTable } from './profile-table'
import { type HashToken, sha256Hex } from './token'
import type { VirtualKey } from './virtual-key'

export type IndexedToken = Pick<PreviousTokenRow, 'tokenHash' | 'tokenKind' | 'endsAtMs'>

/** Every key that was ever issued, in memory, by the hash of its token. */
export type KeyIndex = {
  /** The key of a token, whatever its state; of a token that was replaced, until its time ends. */
  find(token: string, nowMs: number): VirtualKey | undefined
  /** The key whose present token has a hash, whatever its state. */
  at(tokenHash: string): VirtualKey | undefined
  /** Adds a key, or puts it in the place of the one that was, with the tokens that rotations have replaced. */
  put(tokenHash: string, key: IndexedKey, previous?: readonly IndexedToken[]): void
  /** Adds an organization or team, or puts it in the place of the one that was. */
  putGroup(group: IndexedGroup): void
  hasGroup(id: string): boolean
  /** Some key has a token that was not made here. */
  hasImported(): boolean
  size(): number
  /** Every limit that some key, team or organization has. */
  limits(): Iterable<LimitTemplate>
}

/** Keys that are ready for use; the others are put together when they are asked for, in some 3 µs. */
const MANY_READY = 20_000

/**
 * Makes an empty index of tokens hashed by `hashToken`. A key takes some 150 bytes outside the garbage collector's
 * heap: what equal keys have in common is kept once.
 */
export function createKeyIndex(hashToken: HashToken): KeyIndex {
  return new PackedKeyIndex(hashToken)
}

type EarlierToken = { row: number; kind: TokenKind; endsAtMs: number }

class PackedKeyIndex implements KeyIndex {
  readonly #hashToken: HashToken
  readonly #table = new DigestTable()
  readonly #columns = new KeyColumns()
  readonly #profiles = new ProfileTable()
  readonly #groups = new GroupBook()
  readonly #groupNumbers = new Map([[DEFAULT_ORGANIZATION, 0]])
  readonly #groupIds = [DEFAULT_ORGANIZATION]
  readonly #earlier = new Map<string, EarlierToken>()
  readonly #ready = new Map<number, VirtualKey>()
  readonly #digest = createDigest()
  readonly #digestBytes = Buffer.from(this.#digest.buffer)
  #hasImported = false
  #hasLitellm = false

  constructor(hashToken: HashToken) {
    this.#hashToken = hashToken
  }

  find(token: string, nowMs: number): VirtualKey | undefined {
    let row = this.#findRow(this.#hashToken(token), false, nowMs)
    if (row < 0 && this.#hasLitellm)
      row = this.#findRow(this.#hashToken(sha256Hex(token)), true, nowMs)
    return row < 0 ? undefined : this.#keyAt(row)
  }

  at(tokenHash: string): VirtualKey | undefined {
    this.#readDigest(tokenHash)
    const row = this.#table.find(this.#digest)
    return row < 0 ? undefined : this.#keyAt(row)
  }

  #keyAt(row: number): VirtualKey {
    const known = this.#ready.get(row)
    if (known !== undefined) return known
    const key = this.#make(row)
    if (this.#ready.size >= MANY_READY) this.#ready.clear()
    this.#ready.set(row, key)
    return key
  }

  put(tokenHash: string, key: IndexedKey, previous: readonly IndexedToken[] = []): void {
    const row = this.#rowOf(tokenHash, previous)
    const profile = this.#profiles.take({
      models: isList(key.models) ? JSON.stringify(key.models) : key.models,
      rights: key.rights ?? null,
      limits: key.limits ?? null,
    })
    if (row < this.#columns.size) this.#profiles.release(this.#columns.profileOf(row))
    const group = this.#groupNumber(key.groupId ?? DEFAULT_ORGANIZATION)
    const kind = key.tokenKind ?? null
    this.#columns.put(row, key, { profile, group, isLitellm: kind === 'litellm' })
    this.#readDigest(tokenHash)
    this.#table.set(row, this.#digest)
    this.#ready.delete(row)
    this.#noteKind(kind)
    for (const { tokenHash: hash, tokenKind, endsAtMs } of previous) {
      this.#earlier.set(hash, { row, kind: tokenKind, endsAtMs })
      this.#noteKind(tokenKind)
    }
  }

  putGroup(group: IndexedGroup): void {
    this.#groups.put(group)
    this.#ready.clear()
  }

  hasGroup(id: string): boolean {
    return this.#groups.has(id)
  }

  hasImported(): boolean {
    return this.#hasImported
  }

  *limits(): Generator<LimitTemplate> {
    yield* this.#profiles.limits()
    yield* this.#groups.limits()
  }

  size(): number {
    return this.#columns.size
  }

  #findRow(tokenHash: string, isLitellm: boolean, nowMs: number): number {
    this.#readDigest(tokenHash)
    const row = this.#table.find(this.#digest)
    // Else the hash that LiteLLM has stored would itself be a token.
    if (row >= 0) return this.#columns.isLitellm(row) === isLitellm ? row : -1
    const earlier = this.#earlier.size === 0 ? undefined : this.#earlier.get(tokenHash)
    if (earlier === undefined || (earlier.kind === 'litellm') !== isLitellm) return -1
    return nowMs < earlier.endsAtMs ? earlier.row : -1
  }

  /** A rotated key is known by the token that it had. */
  #rowOf(tokenHash: string, previous: readonly IndexedToken[]): number {
    this.#readDigest(tokenHash)
    let row = this.#table.find(this.#digest)
    for (const { tokenHash: hash } of previous) {
      if (row >= 0) return row
      this.#readDigest(hash)
      row = this.#table.find(this.#digest)
    }
    return row < 0 ? this.#columns.size : row
  }

  #readDigest(tokenHash: string): void {
    const bytes = this.#digestBytes.write(tokenHash, 'base64')
    if (bytes !== this.#digestBytes.length)
      throw new Error('the hash of a token is not 32 bytes in base64')
  }

  #groupNumber(id: string): number {
    const known = this.#groupNumbers.get(id)
    if (known !== undefined) return known
    const number = this.#groupIds.push(id) - 1
    this.#groupNumbers.set(id, number)
    return number
  }

  #noteKind(kind: TokenKind): void {
    if (kind === null) return
    this.#hasImported = true
    if (kind === 'litellm') this.#hasLitellm = true
  }

  #make(row: number): VirtualKey {
    const facts = this.#columns.get(row)
    const profile = this.#profiles.get(facts.profile)
    const above = this.#groups.belongingTo(this.#groupIds[facts.group] ?? DEFAULT_ORGANIZATION)
    const level = toLevel('key', facts.id, facts.name, profile)
    return {
      id: facts.id,
      name: facts.name,
      enabled: facts.enabled,
      revokedAtMs: facts.revokedAtMs,
      expiresAtMs: facts.expiresAtMs,
      createdAtMs: facts.createdAtMs,
      bodies: facts.bodies,
      models: profile.rights.models,
      organization: above.organization,
      team: above.team,
      headers: profile.headers,
      levels: [level, ...above.levels],
      limits: level.limits,
      allLimits: level.limits.length === 0 ? above.limits : [...level.limits, ...above.limits],
    }
  }
}

function isList(models: IndexedKey['models']): models is readonly string[] {
  return Array.isArray(models)
}
