import type { GroupRow } from '../db/state-schema'
import type { OwnLimit } from '../ledger/account-book'
import { type LimitTemplate, toOwnLimits } from '../limits/limit-text'
import { DEFAULT_ORGANIZATION } from '../limits/subject'
import { readReadyProfile, type ReadyProfile } from './profile'
import type { Level, LevelKind } from './virtual-key'

/** The levels above a key, ready to be shared by all the keys that have them. */
export type Belonging = {
  readonly organization: string
  readonly team: string | undefined
  /** The team if there is one, then the organization. */
  readonly levels: readonly Level[]
  readonly limits: readonly OwnLimit[]
}

/** The columns of a group that the way of a request reads. */
export type IndexedGroup = Pick<
  GroupRow,
  'id' | 'kind' | 'name' | 'parentId' | 'models' | 'rights' | 'limits'
>

const NO_ROW = { parentId: null, models: null, rights: null, limits: null }

/** Every organization and team, in memory. The default organization is there from the beginning. */
export class GroupBook {
  readonly #groups = new Map<string, { level: Level; parentId: string | null }>()
  readonly #belongings = new Map<string, Belonging>()

  constructor() {
    this.put({
      id: DEFAULT_ORGANIZATION,
      name: DEFAULT_ORGANIZATION,
      kind: 'organization',
      ...NO_ROW,
    })
  }

  has(id: string): boolean {
    return this.#groups.has(id)
  }

  /** Adds a group, or puts it in the place of the one that was. */
  put(row: IndexedGroup): void {
    const level = toLevel(row.kind, row.id, row.name, readReadyProfile(row))
    this.#groups.set(row.id, { level, parentId: row.parentId })
    // Of an organization its teams hold a part: they are few, and joined again when asked for.
    this.#belongings.clear()
  }

  /** What belongs to a group belongs to. Throws for an id that was never put. */
  belongingTo(id: string): Belonging {
    const known = this.#belongings.get(id)
    if (known !== undefined) return known
    const { level, parentId } = this.#get(id)
    const above = level.kind === 'team' ? [this.#get(parentId ?? DEFAULT_ORGANIZATION).level] : []
    const levels = [level, ...above]
    const belonging = {
      organization: levels.at(-1)?.name ?? DEFAULT_ORGANIZATION,
      team: level.kind === 'team' ? level.name : undefined,
      levels,
      limits: levels.flatMap(({ limits }) => limits),
    }
    this.#belongings.set(id, belonging)
    return belonging
  }

  /** Every limit that some organization or team has. */
  *limits(): Generator<LimitTemplate> {
    for (const { level } of this.#groups.values()) for (const { limit } of level.limits) yield limit
  }

  #get(id: string) {
    const group = this.#groups.get(id)
    if (group === undefined) throw new Error(`the organization or team ${id} is not known`)
    return group
  }
}

/** One level with what its profile says. Its counters are named by its id: a name can be given anew. */
export function toLevel(kind: LevelKind, id: string, name: string, profile: ReadyProfile): Level {
  const { rights, fallbacks, equivalents, weights } = profile
  const limits = toOwnLimits(profile.templates, kind, name).map((limit) => ({
    limit,
    name: `${kind}/${id}`,
  }))
  return { kind, id, name, rights, fallbacks, equivalents, weights, limits }
}
