import type { GroupKind } from '../db/group-queries'
import type { KeyQueries } from '../db/key-queries'
import type { GroupRow } from '../db/state-schema'
import { DEFAULT_ORGANIZATION } from '../limits/subject'
import { findGroup } from './administration'
import { AdministrationError } from './administration-error'
import { type Profile, readMetadata, readProfile, toMetadataColumn } from './profile'
import { changeProfile, groupUpdateSchema, newGroupSchema, readInput } from './settings'

/** An organization or team as administrators see it. */
export type GroupRecord = {
  readonly row: GroupRow
  /** The name of a team's organization. */
  readonly organization: string | undefined
  readonly profile: Profile
  readonly metadata: Readonly<Record<string, string>>
}

const EMPTY = { models: null, rights: null, limits: null }

/** Makes and changes the organizations, or the teams. Everything throws AdministrationError. */
export class GroupAdministration {
  readonly #kind: GroupKind
  readonly #queries: KeyQueries
  readonly #now: () => number

  constructor(kind: GroupKind, queries: KeyQueries, now: () => number = Date.now) {
    this.#kind = kind
    this.#queries = queries
    this.#now = now
  }

  /** Makes one of what `newGroupSchema` takes. A team without an organization is in the default one. */
  create(input: unknown): GroupRecord {
    const kind = this.#kind
    const { name, organization, ...settings } = readInput(newGroupSchema, input)
    if (kind === 'organization' && organization !== undefined)
      throw new AdministrationError('invalid', 'An organization is in no other.')
    const parent =
      kind === 'team'
        ? findGroup(this.#queries, 'organization', organization ?? DEFAULT_ORGANIZATION)
        : undefined
    const row: GroupRow = {
      id: Bun.randomUUIDv7(),
      kind,
      name,
      parentId: parent?.id ?? null,
      ...changeProfile(EMPTY, settings),
      metadata: toMetadataColumn(settings.metadata ?? {}),
      createdAtMs: this.#now(),
      deletedAtMs: null,
    }
    if (!this.#queries.groups.insert(row))
      throw new AdministrationError('conflict', `there is a ${kind} named ${name} already`)
    return this.get(row.id)
  }

  /** The one of a name or an id. */
  get(idOrName: string): GroupRecord {
    return this.#record(findGroup(this.#queries, this.#kind, idOrName))
  }

  /** Every one that exists, by name; the teams of one organization where it is given, by name or id. */
  list(organization?: string): GroupRecord[] {
    const parent =
      organization === undefined
        ? undefined
        : findGroup(this.#queries, 'organization', organization)
    return this.#queries.groups.list(this.#kind, parent?.id).map((row) => this.#record(row))
  }

  /** Changes what `groupUpdateSchema` takes and leaves the rest. */
  update(idOrName: string, input: unknown): GroupRecord {
    const change = readInput(groupUpdateSchema, input)
    const row = findGroup(this.#queries, this.#kind, idOrName)
    this.#queries.groups.update(
      row.id,
      {
        ...changeProfile(row, change),
        ...(change.metadata && { metadata: toMetadataColumn(change.metadata) }),
      },
      this.#now()
    )
    return this.get(row.id)
  }

  /** Deletes it; its name is free again. Refused while keys that were not revoked, or teams, belong to it. */
  delete(idOrName: string): GroupRecord {
    const record = this.get(idOrName)
    const { id, name } = record.row
    if (id === DEFAULT_ORGANIZATION)
      throw new AdministrationError('conflict', `the organization ${name} always exists`)
    const { keys, teams } = this.#queries.groups.delete(id, this.#now())
    if (keys + teams === 0) return record
    const belongings = [
      ...(teams > 0 ? [`${teams} ${teams === 1 ? 'team' : 'teams'}`] : []),
      ...(keys > 0 ? [`${keys} ${keys === 1 ? 'key' : 'keys'}`] : []),
    ].join(' and ')
    throw new AdministrationError(
      'conflict',
      `the ${this.#kind} ${name} still has ${belongings}; move, revoke or delete them first`
    )
  }

  #record(row: GroupRow): GroupRecord {
    const parent = row.parentId === null ? undefined : this.#queries.groups.get(row.parentId)
    return {
      row,
      organization: parent?.name,
      profile: readProfile(row),
      metadata: readMetadata(row.metadata),
    }
  }
}
