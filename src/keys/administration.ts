import type { KeyConflict, KeyFilter, KeyQueries } from '../db/key-queries'
import type { GroupRow, KeyRow, NewKeyRow, TokenKind } from '../db/state-schema'
import { DEFAULT_ORGANIZATION } from '../limits/subject'
import { AdministrationError } from './administration-error'
import { type Profile, readMetadata, readProfile, toMetadataColumn } from './profile'
import {
  changeProfile,
  keyUpdateSchema,
  type KeyUpdateInput,
  newKeySchema,
  readInput,
} from './settings'
import { createToken, type HashToken, isImportableToken, tokenHint } from './token'
import { keyState, type KeyState } from './virtual-key'

/** A key as administrators see it: never with its token or the token's hash. */
export type KeyRecord = {
  readonly row: Omit<KeyRow, 'tokenHash'>
  readonly state: KeyState
  readonly organization: string
  readonly team: string | undefined
  readonly profile: Profile
  readonly metadata: Readonly<Record<string, string>>
  /** Tokens that a rotation replaced and that open the key still. */
  readonly previous: readonly { readonly hint: string; readonly endsAtMs: number }[]
}

/** The token is here and nowhere else. */
export type MadeKey = { readonly record: KeyRecord; readonly token: string }

/** What is imported: the text of a token, or its SHA-256 in hex as LiteLLM stores it. */
export type ImportedToken = { readonly token: string } | { readonly litellmHash: string }

/** Which keys are listed: of an organization with its teams, or of a team, by name or id; by part of their name. */
export type KeyListFilter = {
  organization?: string | undefined
  team?: string | undefined
  search?: string | undefined
  withRevoked?: boolean | undefined
}

export type KeyPage = {
  readonly records: KeyRecord[]
  /** Where the next page begins; `undefined` after the last. */
  readonly nextAfterId: string | undefined
}

const MOST_GRACE_MS = 365 * 86_400_000
const EMPTY = { models: null, rights: null, limits: null }

/** Makes and changes keys, at once and for every running gateway. Everything throws AdministrationError. */
export class KeyAdministration {
  readonly #queries: KeyQueries
  readonly #hashToken: HashToken
  readonly #now: () => number

  constructor(queries: KeyQueries, hashToken: HashToken, now: () => number = Date.now) {
    this.#queries = queries
    this.#hashToken = hashToken
    this.#now = now
  }

  /** Makes a key with a new token, from what `newKeySchema` takes. */
  create(input: unknown): MadeKey {
    const token = createToken()
    const record = this.#store(input, this.#hashToken(token), tokenHint(token), null)
    return { record, token }
  }

  /** Makes a key whose token its callers have already. */
  import(input: unknown, imported: ImportedToken): KeyRecord {
    if ('litellmHash' in imported) {
      const hash = imported.litellmHash.toLowerCase()
      if (!/^[0-9a-f]{64}$/.test(hash))
        throw invalid('A SHA-256 has 64 hexadecimal digits, as in the column token of LiteLLM.')
      // Hashed once more under our own secret: a copy of this database opens nothing.
      return this.#store(input, this.#hashToken(hash), '', 'litellm')
    }
    const { token } = imported
    if (!isImportableToken(token))
      throw invalid('A token has 16 to 512 printable characters without spaces.')
    return this.#store(input, this.#hashToken(token), tokenHint(token), 'imported')
  }

  /** The key of a name or an id. Revoked ones are found where no living one has the name. */
  get(idOrName: string): KeyRecord {
    return this.#record(this.#find(idOrName))
  }

  /** Keys in the order of their making, at most `limit` (1 to 1,000) after the key of an id. */
  list(filter: KeyListFilter, afterId = '', limit = 1_000): KeyPage {
    const { search, withRevoked } = filter
    const group = this.#groupOf(filter)
    const wanted: KeyFilter = { search, withRevoked, groupId: group?.id }
    const rows = this.#queries.list(wanted, afterId, Math.min(Math.max(limit, 1), 1_000))
    const groups = new Map<string, GroupRow>()
    return {
      records: rows.map((row) => this.#record(row, groups)),
      nextAfterId: rows.length < limit ? undefined : rows.at(-1)?.id,
    }
  }

  /** Changes what `keyUpdateSchema` takes and leaves the rest. */
  update(idOrName: string, input: unknown): KeyRecord {
    const change = readInput(keyUpdateSchema, input)
    const row = this.#findLiving(idOrName)
    const { bodies, expiresAtMs, metadata, team, organization } = change
    const isMoved = team !== undefined || organization !== undefined
    const conflict = this.#queries.update(
      row.id,
      {
        ...changeProfile(row, change),
        ...(metadata && { metadata: toMetadataColumn(metadata) }),
        ...(bodies !== undefined && { bodies }),
        ...(expiresAtMs !== undefined && { expiresAtMs }),
        ...(isMoved && { groupId: this.#moveTo(row, change) }),
      },
      this.#now()
    )
    if (conflict !== undefined) throw conflictOf(describeConflict(conflict, row.name))
    return this.get(row.id)
  }

  /** Gives a key a new token; the present one opens it for `graceMs` more (0 to a year), and earlier ones no longer. */
  rotate(idOrName: string, graceMs: number): MadeKey {
    if (!(graceMs >= 0 && graceMs <= MOST_GRACE_MS))
      throw invalid('The time of grace is from 0s to 365d.')
    const row = this.#findLiving(idOrName)
    const token = createToken()
    const nowMs = this.#now()
    const made = { tokenHash: this.#hashToken(token), tokenHint: tokenHint(token) }
    this.#queries.rotate(row.id, made, nowMs + graceMs, nowMs)
    return { record: this.get(row.id), token }
  }

  /** Lets a disabled key in again. */
  enable(idOrName: string): KeyRecord {
    return this.#setEnabled(idOrName, true)
  }

  /** Refuses a key until it is enabled again. */
  disable(idOrName: string): KeyRecord {
    return this.#setEnabled(idOrName, false)
  }

  /** Refuses a key for good; its name is free again. */
  revoke(idOrName: string): KeyRecord {
    const row = this.#find(idOrName)
    // Revoking twice is no mistake: the first time must have been the one that counts, and stays.
    if (row.revokedAtMs === null) this.#queries.revoke(row.id, this.#now())
    return this.get(row.id)
  }

  #setEnabled(idOrName: string, enabled: boolean): KeyRecord {
    const row = this.#findLiving(idOrName)
    this.#queries.setEnabled(row.id, enabled, this.#now())
    return this.get(row.id)
  }

  #store(input: unknown, tokenHash: string, hint: string, tokenKind: TokenKind): KeyRecord {
    const wanted = readInput(newKeySchema, input)
    const row: NewKeyRow = {
      id: Bun.randomUUIDv7(),
      name: wanted.name,
      tokenHash,
      tokenHint: hint,
      tokenKind,
      ...changeProfile(EMPTY, wanted),
      metadata: toMetadataColumn(wanted.metadata ?? {}),
      bodies: wanted.bodies ?? null,
      enabled: true,
      expiresAtMs: wanted.expiresAtMs ?? null,
      createdAtMs: this.#now(),
      groupId: this.#groupIdOf(wanted),
    }
    const conflict = this.#queries.store(row)
    if (conflict !== undefined) throw conflictOf(describeConflict(conflict, wanted.name))
    return this.get(row.id)
  }

  #find(idOrName: string): KeyRow {
    const row = this.#queries.find(idOrName)
    if (row !== undefined) return row
    throw new AdministrationError('not-found', `no key has the name or id ${idOrName}`)
  }

  #findLiving(idOrName: string): KeyRow {
    const row = this.#find(idOrName)
    if (row.revokedAtMs === null) return row
    const at = new Date(row.revokedAtMs).toISOString()
    throw conflictOf(`the key ${row.name} was revoked on ${at}, for good`)
  }

  /** What a key of this team and organization belongs to: null is the default organization. */
  #groupIdOf(wanted: Pick<KeyUpdateInput, 'team' | 'organization'>): string | null {
    const group = this.#groupOf({
      team: wanted.team ?? undefined,
      organization: wanted.organization,
    })
    return group === undefined || group.id === DEFAULT_ORGANIZATION ? null : group.id
  }

  /** A key that leaves its team stays in the organization; one that goes to another leaves its team. */
  #moveTo(row: KeyRow, { team, organization }: KeyUpdateInput): string | null {
    if (organization !== undefined || team) return this.#groupIdOf({ team, organization })
    const present = row.groupId === null ? undefined : this.#queries.groups.get(row.groupId)
    if (present?.kind !== 'team') return row.groupId
    return present.parentId === DEFAULT_ORGANIZATION ? null : present.parentId
  }

  #groupOf({ team, organization }: Pick<KeyListFilter, 'team' | 'organization'>) {
    const within =
      organization === undefined
        ? undefined
        : findGroup(this.#queries, 'organization', organization)
    if (team === undefined) return within
    const found = findGroup(this.#queries, 'team', team)
    if (within === undefined || found.parentId === within.id) return found
    throw conflictOf(`the team ${found.name} is not in the organization ${within.name}`)
  }

  #record(row: KeyRow, groups: Map<string, GroupRow> = new Map()): KeyRecord {
    const nowMs = this.#now()
    const { tokenHash: _, ...shown } = row
    const group = this.#group(row.groupId, groups)
    const team = group?.kind === 'team' ? group : undefined
    const organization = team ? this.#group(team.parentId, groups) : group
    const { revokedAtMs, expiresAtMs, enabled } = row
    return {
      row: shown,
      state: keyState(
        { enabled, revokedAtMs: revokedAtMs ?? undefined, expiresAtMs: expiresAtMs ?? undefined },
        nowMs
      ),
      organization: organization?.name ?? DEFAULT_ORGANIZATION,
      team: team?.name,
      profile: readProfile(row),
      metadata: readMetadata(row.metadata),
      previous: this.#queries
        .previousTokensOf(row.id)
        .filter(({ endsAtMs }) => endsAtMs > nowMs)
        .map(({ tokenHint: hint, endsAtMs }) => ({ hint, endsAtMs })),
    }
  }

  #group(id: string | null, groups: Map<string, GroupRow>): GroupRow | undefined {
    if (id === null) return undefined
    const known = groups.get(id) ?? this.#queries.groups.get(id)
    if (known !== undefined) groups.set(id, known)
    return known
  }
}

/** An organization or team by name or id. Throws an AdministrationError of `not-found`. */
export function findGroup(queries: KeyQueries, kind: GroupRow['kind'], idOrName: string): GroupRow {
  const group = queries.groups.find(kind, idOrName)
  if (group !== undefined) return group
  throw new AdministrationError('not-found', `no ${kind} has the name or id ${idOrName}`)
}

function invalid(message: string): AdministrationError {
  return new AdministrationError('invalid', message)
}

function conflictOf(message: string): AdministrationError {
  return new AdministrationError('conflict', message)
}

function describeConflict(conflict: KeyConflict, name: string): string {
  switch (conflict) {
    case 'name_taken':
      return `there is a key named ${name} already; choose another name, or revoke that one first`
    case 'token_taken':
      return 'this token is, or was, that of another key; a token has one key for good'
    case 'group_gone':
      return 'its team or organization has just been deleted'
  }
}
