import { stringOf } from '../../std/record'
import { CallLedger } from '../gemini/parts'
import type {
  Format,
  Generation,
  MediaPart,
  Message,
  Part,
  Reasoning,
  Tool,
  ToolCallPart,
} from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { RequestRoute } from '../protocol'
import { sniffImage } from './image-type'
import { asList, asObject, invalid, ownSource } from './own'

const KNOWN = new Set(['model', 'messages', 'tools', 'stream', 'think', 'format', 'options'])
for (const name of ['logprobs', 'top_logprobs']) KNOWN.add(name)

/** Options that other formats have too, and what the neutral model calls them. */
const OPTIONS = {
  temperature: 'temperature',
  top_p: 'topP',
  top_k: 'topK',
  seed: 'seed',
  num_predict: 'maxTokens',
  frequency_penalty: 'frequencyPenalty',
  presence_penalty: 'presencePenalty',
} as const

/** Reads the body of POST /api/chat. Throws `invalid_request`. https://docs.ollama.com/api/chat */
export function parseGeneration(body: JsonObject, route: RequestRoute): Generation {
  const model = route.model ?? stringOf(body, 'model')
  if (!model) throw invalid('model', 'must be a non-empty string')
  if (!Array.isArray(body.messages)) throw invalid('messages', 'must be a list')
  const ledger = new CallLedger()
  const messages = body.messages.map((message, index) => parseMessage(message, index, ledger))
  const options = asObject(body.options) ?? {}
  const format = parseFormat(body.format)
  const reasoning = parseThink(body.think)
  return {
    model,
    stream: route.stream ?? body.stream !== false,
    includesUsage: true,
    messages,
    tools: asList(body.tools).map(parseTool),
    ...parseOptions(options),
    ...(format && { format }),
    ...(reasoning && { reasoning }),
    ...(typeof body.logprobs === 'boolean' && { logprobs: body.logprobs }),
    ...(typeof body.top_logprobs === 'number' && { topLogprobs: body.top_logprobs }),
    extras: parseExtras(body, options),
    source: ownSource(body),
  }
}

function parseOptions(options: JsonObject) {
  const settings: Partial<Record<(typeof OPTIONS)[keyof typeof OPTIONS], number>> = {}
  for (const [name, member] of Object.entries(OPTIONS)) {
    const value = options[name]
    // Below zero: as long as the model likes.
    if (typeof value === 'number' && (name !== 'num_predict' || value >= 0))
      settings[member] = value
  }
  const { stop } = options
  const stops =
    typeof stop === 'string' ? [stop] : asList(stop).filter((text) => typeof text === 'string')
  return { ...settings, ...(stops.length > 0 && { stop: stops }) }
}

function parseExtras(body: JsonObject, options: JsonObject): JsonObject {
  const extras: JsonObject = {}
  for (const [name, value] of Object.entries(body)) if (!KNOWN.has(name)) extras[name] = value
  for (const [name, value] of Object.entries(options))
    if (!Object.hasOwn(OPTIONS, name) && name !== 'stop') extras[`options.${name}`] = value
  return extras
}

function parseMessage(json: JsonValue, index: number, ledger: CallLedger): Message {
  const path = `messages.${index}`
  const message = asObject(json)
  if (message === undefined) throw invalid(path, 'must be an object')
  checkContent(message, path)
  // The server takes either case: https://github.com/ollama/ollama/blob/main/api/types.go
  const role = stringOf(message, 'role')?.toLowerCase()
  if (role === 'tool') return { role: 'user', parts: [parseResult(message, index, ledger)] }
  if (role !== 'user' && role !== 'assistant' && role !== 'system')
    throw invalid(`${path}.role`, 'must be system, user, assistant or tool')
  const parts = parseParts(message, `call_${index}`)
  for (const part of parts) if (part.type === 'tool_call') ledger.call(part)
  return { role, parts, source: ownSource(message) }
}

/** The server refuses these; read as nothing they would be lost unsaid. */
function checkContent({ content, images, tool_calls: calls }: JsonObject, path: string): void {
  if (content !== undefined && content !== null && typeof content !== 'string')
    throw invalid(`${path}.content`, 'must be a string')
  if (asList(images).some((image) => typeof image !== 'string'))
    throw invalid(`${path}.images`, 'must be a list of base64 strings')
  asList(calls).forEach((call, index) => {
    if (!stringOf(asObject(asObject(call)?.function), 'name'))
      throw invalid(`${path}.tool_calls.${index}`, 'must be a function with a name')
  })
}

/** What a turn, asked or answered, is made of. `prefix` names calls that have no id. */
export function parseParts(message: JsonObject, prefix: string): Part[] {
  const parts: Part[] = []
  const thinking = stringOf(message, 'thinking')
  const content = stringOf(message, 'content')
  if (thinking) parts.push({ type: 'reasoning', text: thinking })
  if (content) parts.push({ type: 'text', text: content })
  parts.push(...parseImages(message))
  asList(message.tool_calls).forEach((call, at) => parts.push(parseCall(call, `${prefix}_${at}`)))
  return parts
}

/** Bare base64, whose type its first bytes tell. https://docs.ollama.com/capabilities/vision */
export function parseImages(message: JsonObject): MediaPart[] {
  return asList(message.images).flatMap((base64) => {
    if (typeof base64 !== 'string') return []
    const mimeType = sniffImage(base64)
    const image = { type: 'media', media: 'image', data: { base64 } } as const
    return [mimeType === undefined ? image : { ...image, mimeType }]
  })
}

/** Arguments are an object; text in its place is left as it is. Older versions give calls no id. */
export function parseCall(json: JsonValue, madeId: string): ToolCallPart {
  const call = asObject(json) ?? {}
  const called = asObject(call.function) ?? {}
  const given = called.arguments ?? {}
  return {
    type: 'tool_call',
    id: stringOf(call, 'id') || madeId,
    name: stringOf(called, 'name') ?? '',
    arguments: typeof given === 'string' ? given : JSON.stringify(given),
    source: ownSource(call),
  }
}

function parseResult(message: JsonObject, index: number, ledger: CallLedger): Part {
  const told = stringOf(message, 'tool_name') ?? stringOf(message, 'name')
  const callId = ledger.answer(stringOf(message, 'tool_call_id'), told) ?? `call_${index}`
  const name = told ?? ledger.nameOf(callId)
  return {
    type: 'tool_result',
    callId,
    ...(name !== undefined && { name }),
    parts: [{ type: 'text', text: stringOf(message, 'content') ?? '' }, ...parseImages(message)],
    source: ownSource(message),
  }
}

function parseTool(json: JsonValue, index: number): Tool {
  const tool = asObject(json)
  const told = asObject(tool?.function)
  const name = stringOf(told, 'name')
  if (tool === undefined || !name) throw invalid(`tools.${index}`, 'must be a function with a name')
  const description = stringOf(told, 'description')
  const parameters = asObject(told?.parameters)
  return {
    type: 'function',
    name,
    ...(description !== undefined && { description }),
    ...(parameters && { parameters }),
    source: ownSource(tool),
  }
}

/** https://docs.ollama.com/capabilities/structured-outputs */
function parseFormat(format: JsonValue | undefined): Format | undefined {
  if (format === 'json') return { type: 'json' }
  // The server takes these for nothing said.
  if (format === undefined || format === null || format === '') return undefined
  const schema = asObject(format)
  if (schema === undefined) throw invalid('format', 'must be "json" or a JSON schema')
  return { type: 'schema', schema }
}

/** https://docs.ollama.com/capabilities/thinking */
function parseThink(think: JsonValue | undefined): Reasoning | undefined {
  if (typeof think === 'boolean') return { enabled: think }
  return typeof think === 'string' ? { enabled: true, effort: think } : undefined
}
