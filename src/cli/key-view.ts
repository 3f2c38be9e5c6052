import type { KeyRecord } from '../keys/administration'
import type { GroupRecord } from '../keys/group-administration'
import type { Profile } from '../keys/profile'
import type { KeyState } from '../keys/virtual-key'
import { formatStoredLimit } from '../limits/limit-text'
import { layOutColumns } from './columns'

/** What keys, teams and organizations may do and use, as the command line shows it. */
export type ProfileView = {
  models: readonly string[]
  denied_models: readonly string[]
  providers: readonly string[]
  denied_providers: readonly string[]
  credentials: readonly string[]
  tools: readonly string[]
  denied_tools: readonly string[]
  weights: Readonly<Record<string, number>>
  /** Whether requests may bring fallbacks of their own; null where nothing is said. */
  fallbacks: boolean | null
  /** False where no other model may answer in the place of the one that was asked for; null where nothing is said. */
  equivalents: boolean | null
  /** As they can be typed: `10/30d`. */
  budgets: readonly string[]
  limits: readonly string[]
  metadata: Readonly<Record<string, string>>
}

/** A key as the command line shows it; times are ISO 8601. Never with its token or hash. */
export type KeyView = ProfileView & {
  id: string
  name: string
  state: KeyState
  /** The last four characters of the token; null where only its hash was imported. */
  hint: string | null
  organization: string
  team: string | null
  required_headers: Readonly<Record<string, string>>
  bodies: 'off' | 'full' | null
  /** Tokens that were replaced and still open it. */
  previous_tokens: readonly { hint: string | null; ends_at: string }[]
  expires_at: string | null
  revoked_at: string | null
  created_at: string
}

/** An organization or team as the command line shows it. */
export type GroupView = ProfileView & {
  id: string
  name: string
  /** Of a team alone. */
  organization?: string
  created_at: string
}

/** Shows a key as it stands. */
export function viewKey({
  row,
  state,
  organization,
  team,
  profile,
  metadata,
  previous,
}: KeyRecord): KeyView {
  return {
    id: row.id,
    name: row.name,
    state,
    hint: row.tokenHint || null,
    organization,
    team: team ?? null,
    ...viewProfile(profile, metadata),
    required_headers: Object.fromEntries(profile.headers.map(({ name, value }) => [name, value])),
    bodies: row.bodies,
    previous_tokens: previous.map(({ hint, endsAtMs }) => ({
      hint: hint || null,
      ends_at: new Date(endsAtMs).toISOString(),
    })),
    expires_at: isoTime(row.expiresAtMs),
    revoked_at: isoTime(row.revokedAtMs),
    created_at: new Date(row.createdAtMs).toISOString(),
  }
}

/** Shows a team or organization. */
export function viewGroup({ row, organization, profile, metadata }: GroupRecord): GroupView {
  return {
    id: row.id,
    name: row.name,
    ...(organization !== undefined && { organization }),
    ...viewProfile(profile, metadata),
    created_at: new Date(row.createdAtMs).toISOString(),
  }
}

/** Lays keys out in columns, one line each under a line of headings. */
export function layOutKeys(views: readonly KeyView[]): string[] {
  const rows = views.map((view) => [
    view.name,
    view.state,
    view.hint === null ? '?' : `…${view.hint}`,
    view.team === null ? view.organization : `${view.organization}/${view.team}`,
    modelsCell(view),
    limitsCell(view),
    view.bodies ?? 'default',
    view.expires_at ?? 'never',
    view.id,
  ])
  return layOutColumns([
    ['NAME', 'STATE', 'KEY', 'OF', 'MODELS', 'LIMITS', 'BODIES', 'EXPIRES', 'ID'],
    ...rows,
  ])
}

/** The same for teams or organizations. */
export function layOutGroups(views: readonly GroupView[]): string[] {
  const rows = views.map((view) => [
    view.name,
    view.organization ?? '-',
    modelsCell(view),
    limitsCell(view),
    view.id,
  ])
  return layOutColumns([['NAME', 'ORGANIZATION', 'MODELS', 'LIMITS', 'ID'], ...rows])
}

/** Lays out everything of one, a line for each of its members that says something. */
export function layOutView(view: KeyView | GroupView): string[] {
  const lines: string[][] = []
  for (const [name, value] of Object.entries(view)) {
    const text = toText(value)
    if (text !== '') lines.push([name.replaceAll('_', ' '), text])
  }
  return layOutColumns(lines)
}

function toText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map(toText).join(', ')
  if (typeof value !== 'object') return String(value)
  return Object.entries(value)
    .map(([name, text]) => `${name}=${String(text)}`)
    .join(', ')
}

function modelsCell({ models, denied_models, providers, denied_providers }: ProfileView): string {
  const allowed = [...models, ...providers.map((provider) => `${provider}/*`)]
  const denied = [...denied_models, ...denied_providers.map((provider) => `${provider}/*`)]
  return [
    allowed.length === 0 ? 'all' : allowed.join(','),
    ...denied.map((glob) => `!${glob}`),
  ].join(',')
}

function limitsCell({ budgets, limits }: ProfileView): string {
  return [...budgets.map((budget) => `$${budget}`), ...limits].join(',') || 'none'
}

function viewProfile(profile: Profile, metadata: Readonly<Record<string, string>>): ProfileView {
  const { rights, limits } = profile
  return {
    models: rights.models,
    denied_models: rights.deniedModels,
    tools: rights.tools,
    denied_tools: rights.deniedTools,
    providers: rights.providers,
    denied_providers: rights.deniedProviders,
    credentials: rights.credentials,
    weights: profile.weights ?? {},
    fallbacks: profile.fallbacks ?? null,
    equivalents: profile.equivalents ?? null,
    budgets: limits.filter(({ unit }) => unit === 'usd').map(formatStoredLimit),
    limits: limits.filter(({ unit }) => unit !== 'usd').map(formatStoredLimit),
    metadata,
  }
}

function isoTime(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString()
}
