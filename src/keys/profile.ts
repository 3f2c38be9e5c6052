import { z } from 'zod'
import {
  type LimitTemplate,
  type StoredLimit,
  storedLimitSchema,
  toLimitTemplates,
} from '../limits/limit-text'
import type { RequiredHeader, Rights, Weights } from './virtual-key'

/** What a key, team or organization may do and use, and what it asks for: often the same for many. */
export type Profile = {
  readonly rights: Rights
  readonly headers: readonly RequiredHeader[]
  /** Whether requests may bring fallbacks of their own. */
  readonly fallbacks?: boolean | undefined
  /** Whether another model may answer in the place of the one that was asked for; only false is kept. */
  readonly equivalents?: boolean | undefined
  /** How much of what routes draw by weight goes to providers, by their names. */
  readonly weights?: Weights | undefined
  readonly limits: readonly StoredLimit[]
}

/** A profile with its limits made ready. */
export type ReadyProfile = Profile & { readonly templates: readonly LimitTemplate[] }

/** The columns that a profile is kept in. */
export type ProfileColumns = {
  readonly models: string | null
  readonly rights: string | null
  readonly limits: string | null
}

const globsSchema = z.array(z.string())
const rightsSchema = z.object({
  denied_models: globsSchema.default([]),
  providers: globsSchema.default([]),
  denied_providers: globsSchema.default([]),
  credentials: globsSchema.default([]),
  tools: globsSchema.default([]),
  denied_tools: globsSchema.default([]),
  headers: z.record(z.string(), z.string()).default({}),
  fallbacks: z.boolean().optional(),
  equivalents: z.boolean().optional(),
  weights: z.record(z.string(), z.number()).optional(),
})
const limitsSchema = z.array(storedLimitSchema)
const metadataSchema = z.record(z.string(), z.string())

/** Reads the columns. Throws where they hold something else than was written by `toProfileColumns`. */
export function readProfile({ models, rights, limits }: ProfileColumns): Profile {
  const lists = rightsSchema.parse(JSON.parse(rights ?? '{}'))
  return {
    rights: {
      models: globsSchema.parse(JSON.parse(models ?? '[]')),
      deniedModels: lists.denied_models,
      providers: lists.providers,
      deniedProviders: lists.denied_providers,
      credentials: lists.credentials,
      tools: lists.tools,
      deniedTools: lists.denied_tools,
    },
    headers: Object.entries(lists.headers).map(([name, value]) => ({ name, value })),
    fallbacks: lists.fallbacks,
    equivalents: lists.equivalents,
    weights: lists.weights,
    limits: limitsSchema.parse(JSON.parse(limits ?? '[]')),
  }
}

/** Reads the columns for the way of a request. Throws as `readProfile` does. */
export function readReadyProfile(columns: ProfileColumns): ReadyProfile {
  const profile = readProfile(columns)
  return { ...profile, templates: toLimitTemplates(profile.limits) }
}

/** Writes a profile; what is empty becomes null. */
export function toProfileColumns(profile: Profile): ProfileColumns {
  const { rights, headers, fallbacks, equivalents, weights, limits } = profile
  const lists = {
    ...(rights.deniedModels.length > 0 && { denied_models: rights.deniedModels }),
    ...(rights.providers.length > 0 && { providers: rights.providers }),
    ...(rights.deniedProviders.length > 0 && { denied_providers: rights.deniedProviders }),
    ...(rights.credentials.length > 0 && { credentials: rights.credentials }),
    ...(rights.tools.length > 0 && { tools: rights.tools }),
    ...(rights.deniedTools.length > 0 && { denied_tools: rights.deniedTools }),
    ...(headers.length > 0 && {
      headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
    }),
    ...(fallbacks !== undefined && { fallbacks }),
    ...(equivalents !== undefined && { equivalents }),
    ...(weights !== undefined && Object.keys(weights).length > 0 && { weights }),
  }
  return {
    models: rights.models.length === 0 ? null : JSON.stringify(rights.models),
    rights: Object.keys(lists).length === 0 ? null : JSON.stringify(lists),
    limits: limits.length === 0 ? null : JSON.stringify(limits),
  }
}

/** Reads texts by name; null is none. */
export function readMetadata(json: string | null): Readonly<Record<string, string>> {
  return metadataSchema.parse(JSON.parse(json ?? '{}'))
}

/** Writes texts by name; none is null. */
export function toMetadataColumn(metadata: Readonly<Record<string, string>>): string | null {
  return Object.keys(metadata).length === 0 ? null : JSON.stringify(metadata)
}
