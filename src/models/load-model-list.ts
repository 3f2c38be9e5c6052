import { isRecord } from '../std/record'
import { isCompactList, readCompactList } from './compact-list'
import { convertLiteLlmList } from './litellm-list'
import { type ModelList, ModelListError } from './model-list'

export type ModelListOptions = {
  /** Cards of other providers are checked and forgotten; all are kept unless given. */
  readonly providers?: ReadonlySet<string>
}

/**
 * Reads a list in our own format under its own version. What it says of a model is looked at when the model is asked
 * for, so that little work and memory is spent on the thousands that nobody asks for. Throws a `ModelListError` that
 * names the field, for a model's when it is looked up.
 */
export function parseModelList(text: string, options: ModelListOptions = {}): ModelList {
  return readCompactList(parseObject(text), keeperOf(options))
}

/**
 * Reads a list that a file has, in our own format or in LiteLLM's. Its version is the file's `name` with the
 * beginning of its SHA-256, so that a row of the log names the very text. Throws a `ModelListError` that names the
 * entry or field.
 * https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json
 */
export function loadModelListFile(
  text: string,
  name: string,
  options: ModelListOptions = {}
): ModelList {
  const value = parseObject(text)
  const hash = new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, 12)
  const version = `${name}@${hash}`
  const keeps = keeperOf(options)
  if (isCompactList(value)) {
    const list = readCompactList(value, () => true, version)
    // A mistake in it has to be known now, not at some request.
    for (const cards of list.providers.values()) for (const model of cards.keys()) cards.get(model)
    return withProviders(list, keeps)
  }
  if (!Object.values(value).some((entry) => isRecord(entry) && 'litellm_provider' in entry)) {
    throw new ModelListError("it is neither a list of ours nor of LiteLLM's format")
  }
  return withProviders(convertLiteLlmList(value, { version, taken: '' }).list, keeps)
}

function keeperOf({ providers }: ModelListOptions): (provider: string) => boolean {
  return (provider) => providers?.has(provider) ?? true
}

function withProviders(list: ModelList, keeps: (provider: string) => boolean): ModelList {
  return { ...list, providers: new Map([...list.providers].filter(([name]) => keeps(name))) }
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new ModelListError('it is no JSON')
  }
  if (isRecord(value)) return value
  throw new ModelListError('it is no JSON object')
}
