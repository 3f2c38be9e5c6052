import { GatewayError } from '../../errors/gateway-error'
import { findBytes } from '../../std/bytes'
import {
  type JsonMember,
  readJsonCount,
  readJsonString,
  scanJsonObject,
  toLineAndColumn,
} from '../../std/json-scan'
import type { Envelope, Span } from '../envelope'
import type { RequestChanges, RequestRoute } from '../protocol'
import { invalid } from './members'

const encoder = new TextEncoder()

/**
 * Reads the body of generateContent in one scan; model and stream are in the path. Throws `invalid_json`, and
 * `invalid_request` where a member that a budget hangs on could mean one thing to us and another to the upstream.
 * https://ai.google.dev/api/generate-content
 */
export function parseRequest(body: Uint8Array, route: RequestRoute): Envelope {
  let config: Span | undefined
  const scan = scanJsonObject(body, ['generationConfig', 'generation_config'], (member) => {
    if (config) throw invalid(member.name, 'must not stand twice')
    config = member
  })
  if (!scan.ok) {
    const { line, column } = toLineAndColumn(body, scan.position)
    throw new GatewayError(
      'invalid_json',
      `the body is not a JSON object: ${scan.reason} at byte ${scan.position} (line ${line}, column ${column})`
    )
  }
  if (!route.model)
    throw invalid('model', 'must stand in the path, e.g. "models/NAME:generateContent"')
  const { outputLimit, choices } = readLimits(body, config)
  return {
    operation: 'generate',
    model: route.model,
    stream: route.stream === true,
    includesUsage: true,
    choices: choices || 1,
    outputLimit,
    body,
    modelSpan: undefined,
    streamOptionsSpan: undefined,
    closeAt: scan.closeAt,
  }
}

type Limits = { outputLimit: number | undefined; choices: number | undefined }

function readLimits(body: Uint8Array, config: Span | undefined): Limits {
  const limits: Limits = { outputLimit: undefined, choices: undefined }
  if (config === undefined) return limits
  const bytes = body.subarray(config.start, config.end)
  const names = [
    'maxOutputTokens',
    'max_output_tokens',
    'candidateCount',
    'candidate_count',
  ] as const
  const found = new Set<string>()
  scanJsonObject(bytes, names, (member) => {
    const setting = member.name.startsWith('max') ? 'outputLimit' : 'choices'
    if (found.has(setting)) throw invalid(`generationConfig.${member.name}`, 'must not stand twice')
    found.add(setting)
    limits[setting] = readCount(bytes, member)
  })
  return limits
}

/** Google reads whole numbers from texts too: https://protobuf.dev/programming-guides/json */
function readCount(bytes: Uint8Array, value: Span): number | undefined {
  const text = readJsonString(bytes, value)
  if (text === undefined) return readJsonCount(bytes, value)
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/**
 * The body for one target: the client's bytes. The model stands in the path; where it stands in the body too, which
 * counting of tokens demands, its name is replaced there.
 */
export function renderRequest(envelope: Envelope, changes: RequestChanges): Uint8Array {
  const { body } = envelope
  if (changes.model === envelope.model || body.length === 0) return body
  if (findBytes(body, MODEL) < 0) return body
  const span = findModel(body)
  if (span === undefined) return body
  const text = encoder.encode(JSON.stringify(toResourceName(changes.model)))
  return Buffer.concat([body.subarray(0, span.start), text, body.subarray(span.end)])
}

const MODEL = Buffer.from('"model"')

function findModel(body: Uint8Array): Span | undefined {
  let model: Span | undefined
  let wrapped: JsonMember | undefined
  scanJsonObject(
    body,
    ['model', 'generateContentRequest', 'generate_content_request'],
    (member) => {
      if (member.name === 'model') model = member
      else wrapped = member
    }
  )
  if (model || wrapped === undefined) return model
  const { start, end } = wrapped
  scanJsonObject(body.subarray(start, end), ['model'], (member) => {
    model = { start: start + member.start, end: start + member.end }
  })
  return model
}

/** The model as Google's bodies name it: `models/NAME`, unless the name says what it is itself. */
export function toResourceName(model: string): string {
  return /^(models|tunedModels|publishers|projects)\//.test(model) ? model : `models/${model}`
}

export type Verb =
  | 'generateContent'
  | 'streamGenerateContent'
  | 'countTokens'
  | 'embedContent'
  | 'batchEmbedContents'
  | 'predict'

/**
 * The path of a call behind the base URL: `/v1beta/models/NAME:VERB`. The version is left out where the base URL has
 * one, as it does in Vertex AI's `/v1/projects/…/publishers/google`. Streams are asked for as events.
 * https://ai.google.dev/api/generate-content, https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
 */
export function renderPath(verb: Verb, model: string, baseUrl: string): string {
  const version = /\/v\d+[a-z0-9]*(\/|$)/.test(baseUrl) ? '' : '/v1beta'
  const name = toResourceName(model).split('/').map(encodeURIComponent).join('/')
  const query = verb === 'streamGenerateContent' ? '?alt=sse' : ''
  return `${version}/${name}:${verb}${query}`
}
