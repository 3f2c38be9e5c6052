import { isRecord } from '../std/record'
import { placeLiteLlmEntry } from './litellm-hosts'
import { readLiteLlmPrice } from './litellm-price'
import type { Ability, ModelCard, ModelKind } from './model-card'
import { type ModelList, ModelListError } from './model-list'

/** What a list in LiteLLM's format becomes, and what of it could not be kept to the digit. */
export type LiteLlmConversion = {
  readonly list: ModelList
  /** Prices that are no whole number of our unit, rounded half up: `KEY MEMBER WRITTEN`. */
  readonly rounded: readonly string[]
}

const KINDS: Readonly<Record<string, ModelKind>> = {
  chat: 'chat',
  responses: 'responses',
  completion: 'completion',
  embedding: 'embedding',
  rerank: 'rerank',
  moderation: 'moderation',
  image_generation: 'image',
  image_edit: 'image',
  audio_speech: 'speech',
  audio_transcription: 'transcription',
  video_generation: 'video',
  ocr: 'ocr',
  search: 'search',
}

const ABILITY_MEMBERS: Readonly<Record<string, Ability>> = {
  supports_vision: 'vision',
  supports_image_input: 'vision',
  supports_audio_input: 'audio-input',
  supports_audio_output: 'audio-output',
  supports_pdf_input: 'pdf-input',
  supports_video_input: 'video-input',
  supports_function_calling: 'tools',
  supports_parallel_function_calling: 'parallel-tools',
  supports_response_schema: 'schema',
  supports_native_structured_output: 'schema',
  supports_reasoning: 'reasoning',
  supports_prompt_caching: 'prompt-caching',
  supports_web_search: 'web-search',
  supports_computer_use: 'computer-use',
  supports_assistant_prefill: 'prefill',
}

/** The key of the entry that documents the others. */
const SAMPLE = 'sample_spec'

/**
 * Makes a list of LiteLLM's own JSON, already parsed. Hosts that the catalog has not are left out. Throws a
 * `ModelListError` that names the entry and the member where it is not of that format.
 * https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json
 */
export function convertLiteLlmList(
  entries: Readonly<Record<string, unknown>>,
  { version, taken }: { version: string; taken: string }
): LiteLlmConversion {
  const providers = new Map<string, Map<string, ModelCard>>()
  const ranks = new Map<string, number>()
  const rounded: string[] = []
  for (const [key, entry] of Object.entries(entries)) {
    if (key === SAMPLE) continue
    if (!isRecord(entry)) throw new ModelListError(`${key} is no object`)
    const litellmProvider = entry['litellm_provider']
    if (typeof litellmProvider !== 'string') continue
    const place = placeLiteLlmEntry(key, litellmProvider)
    if (place === undefined) continue
    const { provider, model, rank } = place
    const name = `${provider}/${model}`
    if ((ranks.get(name) ?? Infinity) <= rank) continue
    ranks.set(name, rank)
    const models = providers.get(provider) ?? new Map<string, ModelCard>()
    providers.set(provider, models)
    const notes: string[] = []
    models.set(model, toCard(key, entry, { provider, model, version }, notes))
    rounded.push(...notes)
  }
  return { list: { version, taken, providers }, rounded }
}

function toCard(
  key: string,
  entry: Readonly<Record<string, unknown>>,
  { provider, model, version }: { provider: string; model: string; version: string },
  rounded: string[]
): ModelCard {
  const mode = entry['mode']
  const kind = (typeof mode === 'string' && Object.hasOwn(KINDS, mode) && KINDS[mode]) || 'other'
  try {
    return {
      provider,
      model,
      kind,
      contextTokens: toCount(entry, 'max_input_tokens'),
      maxOutputTokens: toCount(entry, 'max_output_tokens'),
      abilities: toAbilities(entry),
      price: readLiteLlmPrice(entry, kind, (member, written) =>
        rounded.push(`${key} ${member} ${written}`)
      ),
      origin: version,
    }
  } catch (error) {
    if (error instanceof TypeError) throw new ModelListError(`${key}: ${error.message}`)
    throw error
  }
}

/** Limits are written as 1000000, 1e6 or "1000000"; none at all as nothing, 0 or a text. */
function toCount(entry: Readonly<Record<string, unknown>>, member: string): number | undefined {
  const count = Number(entry[member] ?? 0)
  return Number.isSafeInteger(count) && count > 0 ? count : undefined
}

function toAbilities(entry: Readonly<Record<string, unknown>>): readonly Ability[] | undefined {
  const told = Object.entries(ABILITY_MEMBERS).filter(
    ([member]) => typeof entry[member] === 'boolean'
  )
  if (told.length === 0) return undefined
  return [
    ...new Set(told.filter(([member]) => entry[member] === true).map(([, ability]) => ability)),
  ]
}
