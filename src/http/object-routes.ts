import type { ObjectAction, ObjectCall, ObjectKind } from '../protocols/object-call'
import {
  anthropicBatches,
  anthropicFiles,
  geminiBatches,
  objectProtocol,
  type ObjectProtocols,
  openaiBatches,
  openaiFiles,
  openaiStored,
} from '../protocols/objects/protocols'
import { type InferencePath, withoutAlias } from './inference-routes'

/** One call of what is kept under ids. */
export type ObjectRoute = {
  readonly method: ObjectCall['method']
  /** The path for clients; `:id` stands for the id. */
  readonly path: string
  readonly kind: ObjectKind
  readonly action: ObjectAction
  readonly protocols: ObjectProtocols
  /** The client's headers must have this one, or must not. */
  readonly isAnthropic?: boolean
  readonly isFile?: true
}

const OPENAI_FILES = { kind: 'file', protocols: openaiFiles, isAnthropic: false } as const
const ANTHROPIC_FILES = { kind: 'file', protocols: anthropicFiles, isAnthropic: true } as const
const OPENAI_BATCHES = { kind: 'batch', protocols: openaiBatches } as const
const ANTHROPIC_BATCHES = { kind: 'batch', protocols: anthropicBatches } as const
const GEMINI = { kind: 'batch', protocols: geminiBatches } as const
const STORED = { kind: 'response', protocols: openaiStored } as const

/** Behind the prefixes of SDKs, and behind `/v1` and `/v1beta`. */
export const OBJECT_ROUTES: readonly ObjectRoute[] = [
  ...[OPENAI_FILES, ANTHROPIC_FILES].flatMap((files): ObjectRoute[] => [
    { method: 'POST', path: '/files', action: 'make', ...files },
    { method: 'GET', path: '/files', action: 'list', ...files },
    { method: 'GET', path: '/files/:id', action: 'read', ...files },
    { method: 'DELETE', path: '/files/:id', action: 'drop', ...files },
    { method: 'GET', path: '/files/:id/content', action: 'act', isFile: true, ...files },
  ]),
  { method: 'POST', path: '/batches', action: 'make', ...OPENAI_BATCHES },
  { method: 'GET', path: '/batches', action: 'list', ...OPENAI_BATCHES, isAnthropic: false },
  { method: 'GET', path: '/batches/:id', action: 'read', ...OPENAI_BATCHES },
  { method: 'POST', path: '/batches/:id/cancel', action: 'act', ...OPENAI_BATCHES },
  { method: 'POST', path: '/messages/batches', action: 'make', ...ANTHROPIC_BATCHES },
  { method: 'GET', path: '/messages/batches', action: 'list', ...ANTHROPIC_BATCHES },
  { method: 'GET', path: '/messages/batches/:id', action: 'read', ...ANTHROPIC_BATCHES },
  { method: 'DELETE', path: '/messages/batches/:id', action: 'drop', ...ANTHROPIC_BATCHES },
  { method: 'POST', path: '/messages/batches/:id/cancel', action: 'act', ...ANTHROPIC_BATCHES },
  {
    ...{ method: 'GET', path: '/messages/batches/:id/results', action: 'act' },
    ...ANTHROPIC_BATCHES,
    isFile: true,
  },
  { method: 'GET', path: '/responses/:id', action: 'read', ...STORED },
  { method: 'DELETE', path: '/responses/:id', action: 'drop', ...STORED },
  { method: 'POST', path: '/responses/:id/cancel', action: 'act', ...STORED },
  { method: 'GET', path: '/responses/:id/input_items', action: 'act', ...STORED },
]

/** Google's, whose verbs stand behind a colon. */
const GEMINI_ROUTES: readonly ObjectRoute[] = [
  { method: 'POST', path: '/models/:model:batchGenerateContent', action: 'make', ...GEMINI },
  { method: 'GET', path: '/batches', action: 'list', ...GEMINI },
  { method: 'GET', path: '/batches/:id', action: 'read', ...GEMINI },
  { method: 'DELETE', path: '/batches/:id', action: 'drop', ...GEMINI },
  { method: 'POST', path: '/batches/:id:cancel', action: 'act', ...GEMINI },
]

/** All of them, each with what its paths begin with. */
export const ALL_OBJECT_ROUTES: readonly { prefix: string; route: ObjectRoute }[] = [
  ...OBJECT_ROUTES.map((route) => ({ prefix: '/v1', route })),
  ...GEMINI_ROUTES.map((route) => ({ prefix: '/v1beta', route })),
]

type Compiled = {
  readonly route: ObjectRoute
  readonly prefix: string
  readonly pattern: RegExp
}

const COMPILED: readonly Compiled[] = ALL_OBJECT_ROUTES.map(({ prefix, route }) => ({
  route,
  prefix,
  pattern: new RegExp(`^${route.path.replace(':id', '([^/:]+)').replace(':model', '.+')}$`),
}))

/** Parameters that mean something to a provider; `key` is the client's own. */
const PASSED = new Set([
  'include',
  'include[]',
  'stream',
  'starting_after',
  'after',
  'limit',
  'order',
])

const PREFIX = /^(?:\/(?:openai|anthropic|genai))?(\/v1(?:beta)?)(?=\/)/

/** What is asked for under an id, or under ids to be; `undefined` where it is none of it. */
export function findObject(
  method: string,
  pathname: string,
  search: string,
  headers: Headers
): InferencePath | undefined {
  const path = withoutAlias(pathname)
  const prefix = PREFIX.exec(path)
  if (prefix === null) return undefined
  const rest = path.slice(prefix[0].length)
  const isAnthropic = headers.has('anthropic-version')
  // Google's clients call their first version too.
  const isGoogle = path.startsWith('/genai/') || headers.has('x-goog-api-key')
  const spoken = isGoogle ? '/v1beta' : prefix[1]
  for (const { route, prefix: version, pattern } of COMPILED) {
    if (route.method !== method || version !== spoken) continue
    if (route.isAnthropic !== undefined && route.isAnthropic !== isAnthropic) continue
    const match = pattern.exec(rest)
    if (match) return toPath(route, match[1], rest, new URLSearchParams(search))
  }
  return undefined
}

/** The methods of a path, for who uses another. */
export function objectMethods(pathname: string): string[] {
  const path = withoutAlias(pathname)
  const prefix = PREFIX.exec(path)
  const rest = path.slice(prefix?.[0].length)
  const found = COMPILED.filter(
    ({ prefix: version, pattern }) => version === prefix?.[1] && pattern.test(rest)
  )
  return [...new Set(found.map(({ route }) => route.method))]
}

function toPath(
  route: ObjectRoute,
  written: string | undefined,
  rest: string,
  query: URLSearchParams
): InferencePath | undefined {
  const id = written === undefined ? undefined : decodeId(written)
  if (written !== undefined && id === undefined) return undefined
  const passed = new URLSearchParams([...query].filter(([name]) => PASSED.has(name))).toString()
  const { method, kind, action, isFile = false } = route
  const object: ObjectCall = {
    ...{ method, kind, action, isFile, id, query },
    ...(action === 'make' && { isOnce: true }),
    path: passed === '' ? rest : `${rest}?${passed}`,
  }
  const [, model] = /^\/models\/(.+):batchGenerateContent$/.exec(rest) ?? []
  const named = model !== undefined && { model: decodeURIComponent(model) }
  return { protocol: objectProtocol(route.protocols, object), route: { object, ...named } }
}

/** Ids are made of these everywhere; anything else could lead a path elsewhere. */
function decodeId(written: string): string | undefined {
  return /^[A-Za-z0-9_.:-]{1,256}$/.test(written) && !/^\.+$/.test(written) ? written : undefined
}
