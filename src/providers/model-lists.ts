import type { ModelListPlace, ProviderFamily } from '../config/provider-row'
import { GatewayError } from '../errors/gateway-error'
import { countOf, isRecord, stringOf } from '../std/record'
import type { Ticker } from '../std/ticker'
import { Deadlines } from './deadlines'
import type { Provider } from './provider'
import { readWholeBody } from './read-body'
import type { Sender } from './send'

const REFRESH_MS = 10 * 60_000
const RETRY_MS = 30_000
const DEADLINES = {
  connectMs: 5_000,
  firstByteMs: 15_000,
  betweenFramesMs: 15_000,
  totalMs: 30_000,
}
const MAX_LIST_BYTES = 8 * 1024 * 1024
const MAX_MODELS = 20_000
/** The list is nobody's and no model's: whichever credential is in use may ask for it. */
const ANY_MODEL = { model: '', clientModel: undefined, mayUse: undefined }

export type ListedModel = { id: string; created: number }

export type ModelListOptions = {
  providers: readonly Provider[]
  sender: Sender
  ticker: Ticker
  onList(provider: string, models: ListedModel[]): void
  onFailure(provider: string, error: GatewayError): void
}

/**
 * Asks each host for its models (GET …/models), now and every ten minutes, off the path of any request. Gives
 * the function that stops it.
 */
export function keepModelLists(options: ModelListOptions): () => void {
  const timers = new Map<string, Timer>()
  let isStopped = false
  for (const provider of options.providers)
    if (provider.configuration.modelList) void refresh(provider, provider.configuration.modelList)

  async function refresh(provider: Provider, place: ModelListPlace): Promise<void> {
    let nextMs = REFRESH_MS
    try {
      const reached = provider.pool?.pick(ANY_MODEL)?.provider ?? provider
      const models = await fetchModelList(reached, place, options)
      if (!isStopped) options.onList(provider.name, models)
    } catch (error) {
      nextMs = RETRY_MS
      if (!isStopped) options.onFailure(provider.name, GatewayError.from(error))
    }
    if (isStopped) return
    const timer = setTimeout(() => void refresh(provider, place), nextMs)
    timer.unref()
    timers.set(provider.name, timer)
  }

  return () => {
    isStopped = true
    for (const timer of timers.values()) clearTimeout(timer)
  }
}

async function fetchModelList(
  provider: Provider,
  place: ModelListPlace,
  { sender, ticker }: ModelListOptions
): Promise<ListedModel[]> {
  const deadlines = new Deadlines(provider.name, DEADLINES, performance.now(), false)
  ticker.add(deadlines)
  try {
    const sent = await sender.send({
      provider,
      format: provider.configuration.protocols[0] ?? '',
      path: place.path,
      body: undefined,
      headers: undefined,
      deadlines,
      fresh: false,
    })
    if (!sent.ok) throw sent.error
    const body = await readWholeBody(sent.response, deadlines, MAX_LIST_BYTES)
    if (!sent.response.ok)
      throw new GatewayError(
        'upstream_refused',
        `GET ${place.path} answered ${sent.response.status}`
      )
    return parseModelList(body, place.shape)
  } finally {
    deadlines.vacate()
    ticker.remove(deadlines)
  }
}

/**
 * OpenAI's and Anthropic's shape, `{data: [{id}]}`; Google's, `{models: [{name: 'models/…'}]}`; Cohere's and
 * Ollama's, `{models: [{name}]}`; Together gives the bare array.
 */
function parseModelList(body: Uint8Array, shape: ProviderFamily): ListedModel[] {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(body))
  } catch (cause) {
    throw new GatewayError('upstream_malformed', 'the list of models is not JSON', { cause })
  }
  const isNamed = shape === 'gemini' || shape === 'cohere' || shape === 'ollama'
  const rows = isRecord(value) ? (isNamed ? value.models : value.data) : value
  if (!Array.isArray(rows))
    throw new GatewayError('upstream_malformed', 'the list of models is no list')
  const models: ListedModel[] = []
  for (const row of rows.slice(0, MAX_MODELS)) {
    const id = isNamed ? stringOf(row, 'name')?.replace(/^models\//, '') : stringOf(row, 'id')
    if (id) models.push({ id, created: countOf(row, 'created') ?? 0 })
  }
  return models
}
