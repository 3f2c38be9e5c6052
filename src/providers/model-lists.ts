import type { ProviderFamily } from '../config/provider-row'
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
    if (provider.configuration.modelList) void refresh(provider)

  async function refresh(provider: Provider): Promise<void> {
    let nextMs = REFRESH_MS
    try {
      const models = await fetchModelList(provider, options.sender, options.ticker)
      if (!isStopped) options.onList(provider.name, models)
    } catch (error) {
      nextMs = RETRY_MS
      if (!isStopped) options.onFailure(provider.name, GatewayError.from(error))
    }
    if (isStopped) return
    const timer = setTimeout(() => void refresh(provider), nextMs)
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
  sender: Sender,
  ticker: Ticker
): Promise<ListedModel[]> {
  const deadlines = new Deadlines(provider.name, DEADLINES, performance.now(), false)
  ticker.add(deadlines)
  try {
    const sent = await sender.send({
      provider,
      format: provider.configuration.protocols[0] ?? '',
      path: listPath(provider),
      body: undefined,
      headers: undefined,
      deadlines,
      fresh: false,
    })
    if (!sent.ok) throw sent.error
    const body = await readWholeBody(sent.response, deadlines, MAX_LIST_BYTES)
    if (!sent.response.ok)
      throw new GatewayError('upstream_refused', `GET /models answered ${sent.response.status}`)
    return parseModelList(body, provider.configuration.family)
  } finally {
    ticker.remove(deadlines)
  }
}

/** As many as one page may have: https://docs.claude.com/en/api/models-list, https://ai.google.dev/api/models */
const LIST_PATHS = {
  openai: '/models',
  anthropic: '/models?limit=1000',
  gemini: '/models?pageSize=1000',
  bedrock: '/models',
  cohere: '/models?page_size=1000',
  ollama: '/api/tags',
} as const
const VERSIONS = {
  openai: '',
  anthropic: '/v1',
  gemini: '/v1beta',
  bedrock: '',
  cohere: '/v1',
  ollama: '',
} as const

function listPath({ configuration }: Provider): string {
  const { family, baseUrl } = configuration
  const version = /\/v\d+[a-z0-9]*$/.test(baseUrl) ? '' : VERSIONS[family]
  return version + LIST_PATHS[family]
}

/**
 * OpenAI's and Anthropic's shape, `{data: [{id}]}`; Google's, `{models: [{name: 'models/…'}]}`; Together gives
 * the bare array.
 */
function parseModelList(body: Uint8Array, family: ProviderFamily): ListedModel[] {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(body))
  } catch (cause) {
    throw new GatewayError('upstream_malformed', 'GET /models answered what is not JSON', { cause })
  }
  const rows = isRecord(value) ? (family === 'gemini' ? value.models : value.data) : value
  if (!Array.isArray(rows))
    throw new GatewayError('upstream_malformed', 'GET /models answered no list')
  const models: ListedModel[] = []
  for (const row of rows.slice(0, MAX_MODELS)) {
    const id =
      family === 'gemini' ? stringOf(row, 'name')?.replace(/^models\//, '') : stringOf(row, 'id')
    if (id) models.push({ id, created: countOf(row, 'created') ?? 0 })
  }
  return models
}
