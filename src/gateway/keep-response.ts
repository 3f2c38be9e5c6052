import type { OwnedObject } from '../db/owned-objects'
import type { Envelope } from '../protocols/envelope'
import type { JsonObject } from '../protocols/json'
import { parseJsonObject } from '../protocols/json-object'
import { stringOf } from '../std/record'
import type { UpstreamAnswer } from './answer'
import type { Exchange } from './exchange'
import type { GatewayParts } from './gateway-parts'
import { KeepingStream } from './keeping-stream'
import { KeptAtProvider } from './kept-at-provider'
import { inputItems, MAX_STORED_BYTES } from './stored-responses'

const decoder = new TextDecoder()

/** Has an answer's response be its key's: at its provider, or here where that keeps none. */
export async function keepAnswer(
  parts: GatewayParts,
  exchange: Exchange,
  envelope: Envelope,
  answer: UpstreamAnswer
): Promise<UpstreamAnswer> {
  if (isKeptThere(exchange)) {
    claim(parts, exchange, envelope, answer)
    return answer
  }
  if (answer.kind === 'whole') {
    await store(parts, exchange, envelope, parseJsonObject(answer.body))
    return answer
  }
  const stream = new KeepingStream(answer, (response) => store(parts, exchange, envelope, response))
  // All of it may have come with the head.
  await stream.keepLast()
  return { ...answer, stream }
}

/** What was told in another format has lists of losses, if empty ones. */
function isKeptThere({ record: { losses, target } }: Exchange): boolean {
  return losses === undefined && target?.provider.configuration.quirks.keepsNoResponses !== true
}

/** OpenAI keeps responses for so long: https://platform.openai.com/docs/guides/conversation-state */
const KEPT_MS = 30 * 24 * 60 * 60 * 1_000

function claim(
  { log }: GatewayParts,
  exchange: Exchange,
  { keeping }: Envelope,
  answer: UpstreamAnswer
): void {
  const isWhole = answer.kind === 'whole'
  const id =
    (isWhole ? answer.facts : answer.stream.facts)?.id ?? (isWhole ? undefined : idIn(answer))
  const { record } = exchange
  if (id === undefined || record.target === undefined) return
  const { name: provider, credentialName: credential } = record.target.provider
  const object = toOwned(exchange, { id, provider, credential, keptMs: KEPT_MS })
  const isBackground = keeping?.isBackground === true
  const kept = new KeptAtProvider(log, record, { object, isBackground })
  // A whole answer leaves when its request is written down, a stream before.
  if (!isWhole) kept.claim()
  exchange.kept = kept
}

/** The id of an answer too large to be held: it comes first. */
function idIn({ held }: Extract<UpstreamAnswer, { kind: 'stream' }>): string | undefined {
  const [first] = held
  return (
    first &&
    /^\s*\{\s*"id"\s*:\s*"([^"\\]{1,256})"/.exec(decoder.decode(first.subarray(0, 512)))?.[1]
  )
}

async function store(
  parts: GatewayParts,
  exchange: Exchange,
  envelope: Envelope,
  response: JsonObject | undefined
): Promise<void> {
  const id = stringOf(response, 'id')
  // What was made shorter goes on from its items alone.
  if (id === undefined || response?.object === 'response.compaction') return
  const input = inputItems(parseJsonObject(envelope.body)?.input)
  const text = JSON.stringify({ input, response })
  if (text.length > MAX_STORED_BYTES) {
    exchange.record.losses?.drop('store')
    return
  }
  const data = await parts.vault.seal(text)
  const keptMs = parts.settings().keepResponsesMs
  parts.log.own({ ...toOwned(exchange, { id, provider: '', credential: undefined, keptMs }), data })
  parts.log.write()
}

function toOwned(
  { caller, record }: Exchange,
  { keptMs, ...named }: Pick<OwnedObject, 'id' | 'provider' | 'credential'> & { keptMs: number }
): OwnedObject {
  const nowMs = Date.now()
  return {
    ...named,
    ...{ kind: 'response', keyId: caller?.id, model: record.target?.name, requestId: record.id },
    ...{ createdAtMs: nowMs, expiresAtMs: nowMs + keptMs },
  }
}
