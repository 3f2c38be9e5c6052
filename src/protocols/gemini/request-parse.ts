import { stringOf } from '../../std/record'
import type { Generation, Message, Part, Tool } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { RequestRoute } from '../protocol'
import { asList, asObject, get, getObject, invalid, ownSource, spellings } from './members'
import { CallLedger, parsePart, parseResult, resultOf } from './parts'
import { toJsonSchema } from './schema'
import { parseSettings } from './settings'

/**
 * Reads the body of generateContent; model and stream are in the path. The body of countTokens may hold such a body in
 * `generateContentRequest`. Throws `invalid_request` with the member's path for what the format itself refuses.
 * https://ai.google.dev/api/generate-content
 */
export function parseGeneration(body: JsonObject, route: RequestRoute): Generation {
  const wrapped = getObject(body, 'generateContentRequest')
  if (wrapped && body.contents === undefined) return parseGeneration(wrapped, route)
  if (!route.model) throw invalid('model', 'must stand in the path')
  return {
    model: route.model,
    stream: route.stream === true,
    includesUsage: true,
    messages: [...parseSystem(body), ...parseContents(body.contents)],
    tools: parseTools(body.tools),
    ...parseSettings(body),
    source: ownSource(body),
  }
}

function parseSystem(body: JsonObject): Message[] {
  const value = get(body, 'systemInstruction')
  if (value === undefined || value === null) return []
  if (typeof value === 'string') return [{ role: 'system', parts: [{ type: 'text', text: value }] }]
  const content = asObject(value)
  if (content === undefined) throw invalid('systemInstruction', 'must be an object with parts')
  const parts = partsOf(content, 'systemInstruction').map((part, index) =>
    parsePart(part, () => `call_system_${index}`)
  )
  return [{ role: 'system', parts, source: ownSource(content) }]
}

function parseContents(contents: JsonValue | undefined): Message[] {
  // One turn may stand for a list of it, as with all lists of Google's.
  const list = asObject(contents) ? [contents] : contents
  if (!Array.isArray(list) || list.length === 0)
    throw invalid('contents', 'must be a list of at least one turn')
  const ledger = new CallLedger()
  return list.map((json, index) => parseTurn(json, index, ledger))
}

function parseTurn(json: JsonValue | undefined, index: number, ledger: CallLedger): Message {
  const path = `contents.${index}`
  const content = asObject(json)
  if (content === undefined) throw invalid(path, 'must be an object')
  const role = stringOf(content, 'role')?.toLowerCase() ?? 'user'
  if (role !== 'user' && role !== 'model' && role !== 'function')
    throw invalid(`${path}.role`, 'must be user or model')
  const parts = partsOf(content, path).map((part, at) => {
    const makeId = () => `call_${index}_${at}`
    const parsed = parseTurnPart(part, makeId, ledger)
    if (parsed.type === 'tool_call') ledger.call(parsed)
    return parsed
  })
  return { role: role === 'model' ? 'assistant' : 'user', parts, source: ownSource(content) }
}

function parseTurnPart(part: JsonObject, makeId: () => string, ledger: CallLedger): Part {
  const response = resultOf(part)
  if (response === undefined) return parsePart(part, makeId)
  const callId = ledger.answer(stringOf(response, 'id') || undefined, stringOf(response, 'name'))
  return parseResult(part, response, callId ?? makeId())
}

function partsOf(content: JsonObject, path: string): JsonObject[] {
  const { parts } = content
  const list = asObject(parts) ? [parts] : (parts ?? [])
  if (!Array.isArray(list)) throw invalid(`${path}.parts`, 'must be a list')
  return list.map((json, index) => {
    const part = asObject(json)
    if (part === undefined) throw invalid(`${path}.parts.${index}`, 'must be an object')
    return part
  })
}

/**
 * The tools: each declared function is one, and each other member of an entry, e.g. `googleSearch`, a tool of Google's
 * own. https://ai.google.dev/api/caching#Tool
 */
export function parseTools(value: JsonValue | undefined): Tool[] {
  if (value === undefined || value === null) return []
  const list = asObject(value) ? [value] : value
  if (!Array.isArray(list)) throw invalid('tools', 'must be a list')
  return list.flatMap((json, index) => {
    const entry = asObject(json)
    if (entry === undefined) throw invalid(`tools.${index}`, 'must be an object')
    return Object.keys(entry).flatMap((name): Tool[] => {
      if (spellings('functionDeclarations').includes(name))
        return asList(entry[name]).map((declaration, at) =>
          parseFunction(declaration, `tools.${index}.functionDeclarations.${at}`)
        )
      return [{ type: 'server', name, source: ownSource({ [name]: entry[name] }) }]
    })
  })
}

function parseFunction(json: JsonValue, path: string): Tool {
  const declaration = asObject(json)
  if (declaration === undefined) throw invalid(path, 'must be an object')
  const name = stringOf(declaration, 'name')
  if (!name) throw invalid(`${path}.name`, 'must be a non-empty string')
  const plain = asObject(declaration.parameters)
  const parameters =
    getObject(declaration, 'parametersJsonSchema') ?? (plain && toJsonSchema(plain))
  return {
    type: 'function',
    name,
    description: stringOf(declaration, 'description'),
    parameters,
    source: ownSource(declaration),
  }
}
