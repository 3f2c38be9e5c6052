import type { z } from 'zod'
import { isRecord } from '../std/record'
import { nearestName } from '../std/nearest-name'
import type { FieldPath, Report } from './problem'
import { type ConfigurationFile, configurationSchema } from './schema'

export type CheckedFields = {
  /** The fields with defaults filled in: all of them, or those of the parts without a fault. */
  file: ConfigurationFile
  complete: boolean
}

/**
 * The parsed file against the schema. Once every fault has been reported, the parts without one
 * are given still, so that what else is wrong with them can be told together with it.
 */
export function checkFields(value: unknown, report: Report): CheckedFields | undefined {
  // It is parsed once: compiling a parser first would take longer than that.
  const result = configurationSchema.safeParse(value, { jitless: true })
  if (result.success) return { file: result.data, complete: true }
  for (const issue of result.error.issues) reportIssue(issue, value, report)
  if (!isRecord(value)) return undefined
  const sound = configurationSchema.safeParse(withoutFaults(value, result.error.issues))
  return sound.success ? { file: sound.data, complete: false } : undefined
}

/** The known sections without a fault; of the providers, those that have none themselves. */
function withoutFaults(root: Record<string, unknown>, issues: z.core.$ZodIssue[]) {
  const faulty = new Set(issues.map((issue) => issue.path.slice(0, 2).join('.')))
  const isFaulty = (section: string) =>
    [...faulty].some((path) => path === section || path.startsWith(`${section}.`))
  const sound: Record<string, unknown> = {}
  // Whether an address is safe depends on both: one of them alone would be judged wrongly.
  if (!isFaulty('server') && !isFaulty('keys')) {
    sound['server'] = root['server']
    sound['keys'] = root['keys']
  }
  const { providers } = root
  if (isRecord(providers) && !faulty.has('providers')) {
    const entries = Object.entries(providers).filter(([name]) => !faulty.has(`providers.${name}`))
    sound['providers'] = Object.fromEntries(entries)
  }
  return sound
}

function reportIssue(issue: z.core.$ZodIssue, root: unknown, report: Report): void {
  const path = issue.path.map((segment) =>
    typeof segment === 'number' ? segment : String(segment)
  )
  const allowed = issue.message
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      const nearest = nearestName(key, allowed.split(', '))
      const message = 'is not a known field'
      report([...path, key], { message, allowed, nearest, atKey: true })
    }
    return
  }
  if (issue.code === 'invalid_union') {
    const meant = meantBranch(issue)
    for (const inner of meant)
      reportIssue({ ...inner, path: [...issue.path, ...inner.path] }, root, report)
    if (meant.length > 0) return
  }
  if (issue.code === 'invalid_key') {
    return report(path, { message: 'is not a name that fits here', allowed, atKey: true })
  }
  const value = valueAt(root, path)
  if (value === undefined) return report(path, { message: 'is missing', allowed })
  const isWrongType = issue.code === 'invalid_type'
  report(path, {
    message: isWrongType ? 'is not what belongs here' : 'is not valid',
    found: describe(value, issue, path),
    allowed,
    nearest: typeof value === 'string' ? nearestName(value, allowed.split(', ')) : undefined,
    fix: isKeyInFile(value, path)
      ? 'write ${OPENAI_API_KEY} (your variable) or ${file:PATH}, and revoke a key that was shared'
      : undefined,
  })
}

/** The faults within the one form that a value was meant to have; none where that can't be told. */
function meantBranch({ errors }: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] {
  const branches = errors.filter((issues) =>
    issues.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys')
  )
  return branches.length === 1 ? (branches[0] ?? []) : []
}

function isKeyInFile(value: unknown, path: FieldPath): boolean {
  return path.at(-1) === 'api_key' && typeof value === 'string' && !value.includes('${')
}

/**
 * What was found, as a problem may show it. Texts are shown only in fields that hold no secret,
 * and where a text belongs: a key pasted into the wrong line must not end in a log.
 */
function describe(value: unknown, issue: z.core.$ZodIssue, path: FieldPath): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (isRecord(value)) return 'a mapping'
  if (typeof value !== 'string') return String(value)
  const isLeaf = issue.code !== 'invalid_type' || !CONTAINERS.has(issue.expected)
  if (!isLeaf || !isShown(value, path)) return 'a text (not shown)'
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
}

const CONTAINERS = new Set<string>(['object', 'record', 'array'])

function isShown(value: string, path: FieldPath): boolean {
  // Of a webhook, where its address and secret are.
  if (path[0] === 'alerts' && path.length > 2) return SHOWN_WEBHOOK_FIELDS.has(String(path[3]))
  if (path[0] !== 'providers') return true
  const field = String(path[2])
  if (field === 'base_url') return value.includes('://') && !/[@?]/.test(value)
  return SHOWN_PROVIDER_FIELDS.has(field)
}

const SHOWN_WEBHOOK_FIELDS = new Set(['events', 'subjects', 'timeout', 'private_addresses'])

const SHOWN_PROVIDER_FIELDS = new Set([
  'model_list',
  'deadlines',
  'private_addresses',
  'retry_on_reset',
  'include_usage',
  'keeps_responses',
])

function valueAt(root: unknown, path: FieldPath): unknown {
  let value = root
  for (const segment of path) {
    if (Array.isArray(value) && typeof segment === 'number') value = value[segment]
    else if (isRecord(value) && Object.hasOwn(value, segment)) value = value[segment]
    else return undefined
  }
  return value
}
