import { scanJsonObject } from '../std/json-scan'
import { setJsonMembers } from '../std/json-edit'

/** Parameters of a target by their name in OpenAI's chat format; null takes one out. */
export type Params = Readonly<Record<string, unknown>>

/** How a format names parameters: at the top of its body, or as members of one object there. */
type Names = { readonly within?: string; readonly names: Readonly<Record<string, string>> }

/**
 * Where a format spells a parameter in another way than OpenAI's chat. All others go by the name that they were given:
 * https://platform.openai.com/docs/api-reference/responses/create, https://platform.claude.com/docs/en/api/messages,
 * https://ai.google.dev/api/generate-content#generationconfig,
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html,
 * https://docs.cohere.com/v2/reference/chat, https://github.com/ollama/ollama/blob/main/docs/api.md
 */
const NAMES: Readonly<Record<string, Names>> = {
  'openai-responses': { names: { max_tokens: 'max_output_tokens' } },
  'anthropic-messages': { names: { stop: 'stop_sequences' } },
  'cohere-chat': { names: { top_p: 'p', top_k: 'k', stop: 'stop_sequences' } },
  gemini: {
    within: 'generationConfig',
    names: {
      temperature: 'temperature',
      top_p: 'topP',
      top_k: 'topK',
      max_tokens: 'maxOutputTokens',
      stop: 'stopSequences',
      seed: 'seed',
      presence_penalty: 'presencePenalty',
      frequency_penalty: 'frequencyPenalty',
    },
  },
  'bedrock-converse': {
    within: 'inferenceConfig',
    names: {
      temperature: 'temperature',
      top_p: 'topP',
      max_tokens: 'maxTokens',
      stop: 'stopSequences',
    },
  },
  'ollama-chat': {
    within: 'options',
    names: {
      temperature: 'temperature',
      top_p: 'top_p',
      top_k: 'top_k',
      max_tokens: 'num_predict',
      stop: 'stop',
      seed: 'seed',
      presence_penalty: 'presence_penalty',
      frequency_penalty: 'frequency_penalty',
    },
  },
}

/** Both spellings of OpenAI's chat; hosts that know only one have it renamed. */
const LIMITS = ['max_completion_tokens', 'max_tokens'] as const

/**
 * The body of a request in an upstream's format (`protocol` is its name) with a target's parameters in the place of
 * what it says of them. Everything else keeps its bytes.
 */
export function applyParams(body: Uint8Array, params: Params, protocol: string): Uint8Array {
  const { within, names } = NAMES[protocol] ?? PLAIN
  const top = new Map<string, string | undefined>()
  const inner = new Map<string, string | undefined>()
  for (const [name, value] of Object.entries(params)) {
    const known = Object.hasOwn(names, name) ? names[name] : undefined
    const json = toJson(known !== undefined && name === 'stop' ? toList(value) : value)
    if (name === 'max_tokens' && protocol === 'openai-chat')
      for (const spelled of spelledLimits(body)) top.set(spelled, json)
    else if (known !== undefined && within !== undefined) inner.set(known, json)
    else top.set(known ?? name, json)
  }
  if (within !== undefined && inner.size > 0)
    top.set(within, new TextDecoder().decode(setJsonMembers(memberOf(body, within), inner)))
  return setJsonMembers(body, top)
}

const PLAIN: Names = { names: {} }

function toJson(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : JSON.stringify(value)
}

function toList(value: unknown): unknown {
  return typeof value === 'string' ? [value] : value
}

function spelledLimits(body: Uint8Array): readonly string[] {
  const found = new Set<string>()
  scanJsonObject(body, LIMITS, ({ name }) => void found.add(name))
  return found.size > 0 ? [...found] : [LIMITS[0]]
}

/** The bytes of an object in the body; an empty one where there is none. */
function memberOf(body: Uint8Array, name: string): Uint8Array {
  let found: Uint8Array | undefined
  scanJsonObject(body, [name], ({ start, end }) => {
    found = body.subarray(start, end)
  })
  return found?.[0] === OPEN_BRACE ? found : EMPTY
}

const OPEN_BRACE = 0x7b
const EMPTY = new TextEncoder().encode('{}')
