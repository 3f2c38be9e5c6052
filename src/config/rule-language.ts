import { type ASTNode, Environment, ParseError, TypeError } from '@marcbachmann/cel-js'
import { isRecord } from '../std/record'

/** What rules may read, by type: https://github.com/google/cel-spec. `tollgate` describes them in its README. */
export const RULE_VARIABLES = {
  model: 'string',
  key: 'string',
  team: 'string',
  organization: 'string',
  user: 'string',
  session: 'string',
  tags: 'list<string>',
  headers: 'map<string, string>',
  body_bytes: 'int',
  estimated_tokens: 'int',
  max_tokens: 'int',
  stream: 'bool',
  has_tools: 'bool',
  has_vision: 'bool',
  wants_json_schema: 'bool',
  hour: 'int',
  weekday: 'int',
  time: 'google.protobuf.Timestamp',
} as const

/** A rule's size is what its evaluation costs. */
const LIMITS = { maxAstNodes: 500, maxDepth: 32, maxListElements: 200 }

/**
 * The language of rules: CEL with the variables above and `budget_remaining(subject)`, USD that are left in the
 * tightest budget of a subject, which `budgetRemaining` gives.
 */
export function createRuleLanguage(budgetRemaining: (subject: string) => number): Environment {
  const language = new Environment({ limits: LIMITS })
  for (const [name, type] of Object.entries(RULE_VARIABLES)) language.registerVariable(name, type)
  return language.registerFunction('budget_remaining(string): double', budgetRemaining)
}

/** What is wrong with a rule, in words with the character where it shows; `undefined` for nothing. */
export function findRuleProblem(language: Environment, when: string): string | undefined {
  try {
    const parsed = language.parse(when)
    const checked = parsed.check()
    if (!checked.valid) return describe(checked.error)
    if (checked.type !== 'bool') return `it is no condition: it gives ${checked.type ?? 'nothing'}`
    return readHeaderNames(parsed.ast) === undefined
      ? 'headers are read by a name in quotes, as in headers["x-team"] and "x-team" in headers'
      : undefined
  } catch (error) {
    return describe(error)
  }
}

function describe(error: unknown): string {
  if (!(error instanceof ParseError || error instanceof TypeError))
    return error instanceof Error ? error.message : String(error)
  const place = error.range === undefined ? '' : ` at character ${error.range.start + 1}`
  return `${error.summary}${place}`
}

/**
 * The headers that a rule reads, as it writes them, so that these alone are looked up for it; `undefined` where it
 * reads others than by their names.
 */
export function readHeaderNames(node: ASTNode): readonly string[] | undefined {
  const named = headerOf(node)
  if (named !== undefined) return [named]
  if (node.op === 'id') return node.args === HEADERS ? undefined : []
  const names: string[] = []
  for (const child of childrenOf(node.args)) {
    const found = readHeaderNames(child)
    if (found === undefined) return undefined
    names.push(...found)
  }
  return names
}

const HEADERS = 'headers'

/** `headers["x-team"]`, `headers.team` and `"x-team" in headers`. */
function headerOf(node: ASTNode): string | undefined {
  if (node.op === '.') return isHeaders(node.args[0]) ? node.args[1] : undefined
  if (node.op !== '[]' && node.op !== 'in') return undefined
  const [left, right] = node.args
  const [map, key] = node.op === 'in' ? [right, left] : [left, right]
  if (!isHeaders(map) || key.op !== 'value' || typeof key.args !== 'string') return undefined
  return key.args
}

function isHeaders(node: ASTNode): boolean {
  return node.op === 'id' && node.args === HEADERS
}

/** Operands stand in lists, in lists of lists, or alone. */
function childrenOf(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(childrenOf)
  return isNode(args) ? [args] : []
}

function isNode(value: unknown): value is ASTNode {
  return isRecord(value) && 'op' in value && 'args' in value
}
