import type { Node } from 'yaml'
import { scanJsonObject, toLineAndColumn } from '../std/json-scan'
import { type FieldPath, type Problem, type ProblemDetails, toProblem } from './problem'

export type Place = { line: number; column: number }

/** A configuration's text as a value, with the way back from each field to its place. */
export type SourceText = {
  value: unknown
  /** What is wrong with the text itself. */
  problems: Problem[]
  /** Where the field at `path` stands, or the nearest field around it that is there. */
  placeOf(path: FieldPath, part: 'key' | 'value'): Place | undefined
}

type Yaml = typeof import('yaml')
type Visit = (path: FieldPath, node: Node, details: ProblemDetails) => void

/**
 * Parses a configuration file's text: YAML, of which JSON is a subset; a file called `….json` must
 * be JSON. `name` is what problems call the file.
 */
export async function parseSourceText(text: string, name: string): Promise<SourceText> {
  const jsonProblem = name.endsWith('.json') ? findJsonProblem(text, name) : undefined
  if (jsonProblem !== undefined) return failed(jsonProblem)
  // Only here: a start without a file, and every worker, is spared the parser.
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  // The parser's own pretty messages quote the text, which may be a secret.
  const document = yaml.parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'error',
  })
  const toPlace = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const error = document.errors[0] ?? document.warnings[0]
  if (error !== undefined) return failed(toSyntaxProblem(error, toPlace(error.pos[0]), text, name))

  const problems: Problem[] = []
  checkKeys(yaml, document.contents, [], (path, node, details) => {
    problems.push(toProblem(name, toPlace(node.range?.[0] ?? 0), path, details))
  })
  const placeOf: SourceText['placeOf'] = (path, part) => {
    const offset = findOffset(yaml, document, path, part)
    return offset === undefined ? undefined : toPlace(offset)
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 })
    return { value, problems, placeOf }
  } catch {
    const message = 'has an alias without its anchor, or too many of them'
    return failed(toProblem(name, undefined, [], { message }))
  }
}

function failed(problem: Problem): SourceText {
  return { value: undefined, problems: [problem], placeOf: () => undefined }
}

function findJsonProblem(text: string, name: string): Problem | undefined {
  const bytes = new TextEncoder().encode(text)
  const scan = scanJsonObject(bytes, [], () => {})
  if (scan.ok) return undefined
  const message = `is not a JSON object: ${scan.reason}`
  return toProblem(name, toLineAndColumn(bytes, scan.position), [], { message })
}

type SyntaxFault = { message: string; pos: [number, number] }

function toSyntaxProblem(fault: SyntaxFault, place: Place, text: string, name: string): Problem {
  // What follows a colon or a quote in these messages is taken from the text.
  const [reason = ''] = fault.message.split(/[:"]/)
  const line = text.split('\n')[place.line - 1] ?? ''
  return toProblem(name, place, [], {
    message: `is not well-formed: ${reason.trim()}`,
    fix: line.includes('${') ? 'put a value with ${…} in quotes: "${NAME}"' : undefined,
  })
}

/** Visits keys that are no plain names, and the second of two equal ones: both are lost later. */
function checkKeys(yaml: Yaml, node: unknown, path: FieldPath, visit: Visit): void {
  if (yaml.isSeq(node)) {
    node.items.forEach((item, at) => checkKeys(yaml, item, [...path, at], visit))
  }
  if (!yaml.isMap(node)) return
  const seen = new Set<string>()
  for (const { key, value } of node.items) {
    if (!yaml.isScalar(key)) {
      visit(path, node, { message: 'has a name that is not a plain text' })
      continue
    }
    const name = String(key.value)
    const keyPath = [...path, name]
    if (seen.has(name)) {
      visit(keyPath, key, { message: 'is there twice', fix: 'keep one of the two' })
    }
    seen.add(name)
    checkKeys(yaml, value, keyPath, visit)
  }
}

type ParsedDocument = ReturnType<Yaml['parseDocument']>

function findOffset(
  yaml: Yaml,
  document: ParsedDocument,
  path: FieldPath,
  part: 'key' | 'value'
): number | undefined {
  let node: unknown = document.contents
  let offset: number | undefined
  for (const [at, segment] of path.entries()) {
    if (yaml.isAlias(node)) node = node.resolve(document)
    const isLast = at === path.length - 1
    if (yaml.isMap(node)) {
      const pair = node.items.find(({ key }) => yaml.isScalar(key) && String(key.value) === segment)
      if (pair === undefined || !yaml.isScalar(pair.key)) return offset
      const target = isLast && part === 'value' && yaml.isNode(pair.value) ? pair.value : pair.key
      offset = target.range?.[0] ?? offset
      node = pair.value
    } else if (yaml.isSeq(node) && typeof segment === 'number') {
      node = node.items[segment]
      if (!yaml.isNode(node)) return offset
      offset = node.range?.[0] ?? offset
    } else return offset
  }
  return offset
}
