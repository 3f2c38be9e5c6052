/** By what a limit may tell requests apart. The first five are known when a request comes, the rest with its target. */
export const DIMENSIONS = [
  'organization',
  'team',
  'key',
  'user',
  'session',
  'tag',
  'provider',
  'model',
  'credential',
] as const

export type Dimension = (typeof DIMENSIONS)[number]

const OF_TARGET: ReadonlySet<Dimension> = new Set(['provider', 'model', 'credential'])

/** The organization of everyone who has no other. */
export const DEFAULT_ORGANIZATION = 'default'

/** Whose requests a limit counts, e.g. `team/red+model/openai/gpt-5`. A name of `*` has a counter for each of its values. */
export type Subject = {
  readonly text: string
  readonly parts: readonly SubjectPart[]
  /** Some part of it is known only when a target is chosen. */
  readonly isOfTarget: boolean
  /** Each value has its own counter. */
  readonly isEach: boolean
}

export type SubjectPart = { readonly dimension: Dimension; readonly name: string }

/** Who and what a request, or an attempt of it, is of. */
export type Dimensions = {
  readonly organization: string
  readonly team: string | undefined
  /** The key's name, by which limits call it, and its id, by which it is counted: names can be given anew. */
  readonly key: string | undefined
  readonly keyId: string | undefined
  readonly user: string | undefined
  readonly session: string | undefined
  readonly tags: readonly string[]
  readonly provider?: string | undefined
  /** `provider/model`. */
  readonly model?: string | undefined
  /** `provider/name`, of a provider with several. */
  readonly credential?: string | undefined
}

/**
 * Reads a subject: `organization`, `organization/NAME`, `team/NAME`, `key/NAME`, `user/ID`, `session/ID`, `tag/NAME`,
 * `provider/NAME`, `model/NAME`, `credential/PROVIDER/NAME`, or two of them joined by `+`. `undefined` for what is none.
 */
export function parseSubject(text: string): Subject | undefined {
  const parts: SubjectPart[] = []
  for (const written of text.split('+')) {
    const part = parsePart(written)
    if (part === undefined) return undefined
    parts.push(part)
  }
  const [first, second] = parts
  if (first === undefined || parts.length > 2) return undefined
  if (second !== undefined && first.dimension === second.dimension) return undefined
  return {
    text,
    parts,
    isOfTarget: parts.some(({ dimension }) => OF_TARGET.has(dimension)),
    isEach: parts.some(({ name }) => name === '*'),
  }
}

function parsePart(text: string): SubjectPart | undefined {
  if (text === 'organization') return { dimension: 'organization', name: DEFAULT_ORGANIZATION }
  const slash = text.indexOf('/')
  const dimension = DIMENSIONS.find((known) => known === text.slice(0, Math.max(0, slash)))
  const name = text.slice(slash + 1)
  if (dimension === undefined || name === '' || name.includes('+')) return undefined
  return { dimension, name }
}

/**
 * Which of a subject's counters a request falls on: the values that stand in the place of `*`, '' where there is none.
 * `undefined` where the subject is not of this request. Of several tags the first that fits.
 */
export function toCounterKey(subject: Subject, of: Dimensions): string | undefined {
  let key = ''
  for (const part of subject.parts) {
    if (part.name !== '*') {
      if (!isOf(part, of)) return undefined
      continue
    }
    const value = starOf(part, of)
    if (value === undefined) return undefined
    // Most have one value, which is a text that is there already.
    key = key === '' ? value : `${key}+${value}`
  }
  return key
}

/** The name of a counter, `key/ID`, by its key. */
export function toAccountName(subject: Subject, key: string): string {
  return subject.isEach ? `${subject.text} ${key}` : subject.text
}

function isOf({ dimension, name }: SubjectPart, of: Dimensions): boolean {
  if (dimension === 'tag') return of.tags.includes(name)
  return of[dimension] === name || (dimension === 'model' && isBareModel(name, of.model))
}

/** A model named without its provider is meant wherever it is served. */
function isBareModel(name: string, model: string | undefined): boolean {
  return (
    model !== undefined && model.endsWith(name) && model[model.length - name.length - 1] === '/'
  )
}

function starOf({ dimension }: SubjectPart, of: Dimensions): string | undefined {
  if (dimension === 'key') return of.keyId
  return dimension === 'tag' ? of.tags[0] : of[dimension]
}
