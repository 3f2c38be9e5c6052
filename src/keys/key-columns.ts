import type { KeyRow, TokenKind } from '../db/state-schema'
import { TextArena } from './text-arena'
import type { KeyBodies } from './virtual-key'

const ENABLED = 1
const BODIES_OFF = 2
const BODIES_FULL = 4
const LITELLM = 8

/** What is kept of a key. Columns of its row; those that may be left out are null then. */
export type IndexedKey = {
  id: string
  name: string
  enabled: boolean
  revokedAtMs: number | null | undefined
  expiresAtMs: number | null | undefined
  createdAtMs: number
  bodies: KeyRow['bodies'] | undefined
  /** Globs, or JSON of them. */
  models: readonly string[] | string | null
  rights?: string | null
  limits?: string | null
  groupId?: string | null
  tokenKind?: TokenKind
}

/** Numbers of what is kept elsewhere. */
export type KeyReferences = { profile: number; group: number; isLitellm: boolean }

export type KeyFacts = {
  id: string
  name: string
  enabled: boolean
  revokedAtMs: number | undefined
  expiresAtMs: number | undefined
  createdAtMs: number
  bodies: KeyBodies | undefined
  profile: number
  group: number
}

/** What is of each key alone, by row, in arrays of numbers: a time that there is none of is NaN. */
export class KeyColumns {
  readonly #texts = new TextArena()
  #size = 0
  #capacity = 0
  #text = new Uint32Array(0)
  #profile = new Uint32Array(0)
  #group = new Uint32Array(0)
  #flags = new Uint8Array(0)
  #createdAtMs = new Float64Array(0)
  #expiresAtMs = new Float64Array(0)
  #revokedAtMs = new Float64Array(0)

  get size(): number {
    return this.#size
  }

  /** Writes a row; a new one is the one after the last. The id and name of a row never change. */
  put(row: number, key: IndexedKey, { profile, group, isLitellm }: KeyReferences): void {
    if (row === this.#size) {
      if (row === this.#capacity) this.#grow()
      this.#size++
      this.#text[row] = this.#texts.add(`${key.id}\n${key.name}`)
    }
    this.#profile[row] = profile
    this.#group[row] = group
    this.#createdAtMs[row] = key.createdAtMs
    this.#expiresAtMs[row] = key.expiresAtMs ?? NaN
    this.#revokedAtMs[row] = key.revokedAtMs ?? NaN
    this.#flags[row] =
      (key.enabled ? ENABLED : 0) |
      (key.bodies === 'off' ? BODIES_OFF : key.bodies === 'full' ? BODIES_FULL : 0) |
      (isLitellm ? LITELLM : 0)
  }

  get(row: number): KeyFacts {
    const text = this.#texts.get(this.#text[row] ?? 0)
    const end = text.indexOf('\n')
    const flags = this.#flags[row] ?? 0
    return {
      id: text.slice(0, end),
      name: text.slice(end + 1),
      enabled: (flags & ENABLED) !== 0,
      revokedAtMs: timeOf(this.#revokedAtMs[row]),
      expiresAtMs: timeOf(this.#expiresAtMs[row]),
      createdAtMs: this.#createdAtMs[row] ?? 0,
      bodies: (flags & BODIES_OFF) !== 0 ? 'off' : (flags & BODIES_FULL) !== 0 ? 'full' : undefined,
      profile: this.profileOf(row),
      group: this.#group[row] ?? 0,
    }
  }

  profileOf(row: number): number {
    return this.#profile[row] ?? 0
  }

  isLitellm(row: number): boolean {
    return ((this.#flags[row] ?? 0) & LITELLM) !== 0
  }

  #grow(): void {
    const capacity = Math.max(1_024, Math.ceil(this.#capacity * 1.5))
    this.#text = grown(this.#text, new Uint32Array(capacity))
    this.#profile = grown(this.#profile, new Uint32Array(capacity))
    this.#group = grown(this.#group, new Uint32Array(capacity))
    this.#flags = grown(this.#flags, new Uint8Array(capacity))
    this.#createdAtMs = grown(this.#createdAtMs, new Float64Array(capacity))
    this.#expiresAtMs = grown(this.#expiresAtMs, new Float64Array(capacity))
    this.#revokedAtMs = grown(this.#revokedAtMs, new Float64Array(capacity))
    this.#capacity = capacity
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from)
  return to
}

function timeOf(atMs: number | undefined): number | undefined {
  return atMs === undefined || Number.isNaN(atMs) ? undefined : atMs
}
