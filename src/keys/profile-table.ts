import type { LimitTemplate } from '../limits/limit-text'
import { type ProfileColumns, readReadyProfile, type ReadyProfile } from './profile'

/** Profiles that were read and are kept so; beyond it they are read anew. */
const MANY_READ = 10_000

/**
 * The profiles of keys by number: a million keys have a few between them. Each is kept as its text, and forgotten with
 * the last key that has it.
 */
export class ProfileTable {
  readonly #numbers = new Map<string, number>()
  #texts: (string | undefined)[] = []
  #users: number[] = []
  readonly #freed: number[] = []
  readonly #read = new Map<number, ReadyProfile>()

  /** The number of a profile, which one key more has. */
  take({ models, rights, limits }: ProfileColumns): number {
    // JSON as it is written has no line ends.
    const text = `${models ?? ''}\n${rights ?? ''}\n${limits ?? ''}`
    const known = this.#numbers.get(text)
    if (known !== undefined) {
      this.#users[known] = (this.#users[known] ?? 0) + 1
      return known
    }
    const number = this.#freed.pop() ?? this.#texts.length
    this.#texts[number] = text
    this.#users[number] = 1
    this.#numbers.set(text, number)
    return number
  }

  /** One key less has it. */
  release(number: number): void {
    const users = (this.#users[number] ?? 0) - 1
    this.#users[number] = users
    const text = this.#texts[number]
    if (users > 0 || text === undefined) return
    this.#numbers.delete(text)
    this.#texts[number] = undefined
    this.#read.delete(number)
    this.#freed.push(number)
  }

  /** What a profile says. */
  get(number: number): ReadyProfile {
    const known = this.#read.get(number)
    if (known !== undefined) return known
    const [models = '', rights = '', limits = ''] = this.#texts[number]?.split('\n') ?? []
    const profile = readReadyProfile({
      models: models || null,
      rights: rights || null,
      limits: limits || null,
    })
    if (this.#read.size >= MANY_READ) this.#read.clear()
    this.#read.set(number, profile)
    return profile
  }

  /** Every limit that some profile has. */
  *limits(): Generator<LimitTemplate> {
    for (const [number, text] of this.#texts.entries())
      if (text !== undefined) yield* this.get(number).templates
  }

  /** How many different ones there are. */
  get size(): number {
    return this.#numbers.size
  }
}
