import type { OwnedObject } from '../db/owned-objects'
import { GatewayError } from '../errors/gateway-error'
import type { Envelope } from '../protocols/envelope'
import type { JsonObject, JsonValue } from '../protocols/json'
import type { Protocol } from '../protocols/protocol'
import { scanMembers } from '../protocols/openai/request'
import { readJsonString } from '../std/json-scan'
import { isRecord, stringOf } from '../std/record'
import type { Plan, PlannedTarget } from '../routing/plan'
import type { AnswerStream, UpstreamAnswer } from './answer'
import type { Exchange } from './exchange'
import type { GatewayParts } from './gateway-parts'
import { inputItems, MAX_STORED_BYTES, openStored } from './stored-responses'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** How `false` and `null` begin. */
const FALSE = 0x66
const NULL = 0x6e

/** A request of POST /v1/responses and those that it goes on from. */
export type KeptRequest = {
  readonly envelope: Envelope
  /** Where the response before it is kept, if that is a provider. */
  readonly keeper: OwnedObject | undefined
}

/**
 * Finds the response that a request goes on from: what is kept here is put before its own items, and what is kept by a
 * provider leads it there. Throws `previous_response_not_found`: another key's is as unknown as none.
 */
export async function followPrevious(
  parts: GatewayParts,
  protocol: Protocol,
  exchange: Exchange,
  envelope: Envelope
): Promise<KeptRequest> {
  const { found } = scanMembers(envelope.body, ['previous_response_id', 'conversation'])
  if (found.conversation && envelope.body[found.conversation.start] !== NULL)
    throw unknownConversation()
  const span = found.previous_response_id
  const id = span && readJsonString(envelope.body, span)
  if (id === undefined) return { envelope, keeper: undefined }
  const [owned] = await parts.log.owned({ objectKind: 'response', id })
  if (owned === undefined || owned.keyId !== exchange.caller?.id)
    throw new GatewayError(
      'previous_response_not_found',
      `Previous response with id '${id.slice(0, 128)}' not found.`,
      { param: 'previous_response_id' }
    )
  if (owned.provider !== '') return { envelope, keeper: owned }
  const { input, response } = await openStored(parts, owned)
  const { previous_response_id: _id, ...body } = readBody(envelope)
  const items = [...input, ...inputItems(response.output).map(withoutId), ...inputItems(body.input)]
  const whole = encoder.encode(JSON.stringify({ ...body, input: items }))
  const { fallbacks } = envelope
  return {
    envelope: exchange.restate({
      ...protocol.client.parseRequest(whole, {}),
      ...(fallbacks && { fallbacks }),
    }),
    keeper: undefined,
  }
}

/** Conversations are made by an API that is not served, so that whose one is can't be known. */
function unknownConversation(): GatewayError {
  return new GatewayError(
    'invalid_request',
    "'conversation' is of an API that this gateway does not serve: go on from an answer by previous_response_id",
    { param: 'conversation' }
  )
}

/** The plan with those targets alone whose provider keeps what the request goes on from. Throws `invalid_request`. */
export function planAtKeeper(plan: Plan, { id, provider, credential }: OwnedObject): Plan {
  const mayUseCredential = credential === undefined ? undefined : toRule(credential)
  const targets: PlannedTarget[] = []
  for (const planned of plan.targets) {
    if (planned.target.provider.name !== provider) continue
    targets.push(
      mayUseCredential ? { ...planned, target: { ...planned.target, mayUseCredential } } : planned
    )
  }
  if (targets.length > 0)
    return { ...plan, targets, notes: [...plan.notes, `'${id}' is kept by ${provider}`] }
  throw new GatewayError(
    'invalid_request',
    `'previous_response_id' is of a response that the provider '${provider}' keeps: name one of its models`,
    { param: 'previous_response_id' }
  )
}

const toRule = (credential: string) => (one: string) => one === credential

/** Has an answer's response be its key's: at its provider, or, where it was told in another format, here. */
export async function keepAnswer(
  parts: GatewayParts,
  exchange: Exchange,
  envelope: Envelope,
  answer: UpstreamAnswer
): Promise<UpstreamAnswer> {
  const { found } = scanMembers(envelope.body, ['store', 'background'])
  if (found.store && envelope.body[found.store.start] === FALSE) return answer
  // What was told in another format has lists of losses, if empty ones.
  const isNative = exchange.record.losses === undefined
  const whole = answer.kind === 'whole' ? answer.body : Buffer.concat(answer.held)
  if (isNative) claim(parts, exchange, whole)
  else if (answer.kind === 'whole') await store(parts, exchange, envelope, parseObject(whole))
  else {
    const stream = new KeepingStream(parts, exchange, envelope, answer)
    // All of it may have come with the head.
    await stream.keepLast()
    return { ...answer, stream }
  }
  return answer
}

/** OpenAI keeps responses for so long: https://platform.openai.com/docs/guides/conversation-state */
const KEPT_MS = 30 * 24 * 60 * 60 * 1_000

const ID = /"id" ?: ?"(resp_[A-Za-z0-9_-]{1,250})"/

function claim(parts: GatewayParts, exchange: Exchange, bytes: Uint8Array): void {
  const [, id] = ID.exec(decoder.decode(bytes.subarray(0, 65_536))) ?? []
  const { target } = exchange.record
  if (id === undefined || target === undefined) return
  const { name: provider, credentialName: credential } = target.provider
  own(parts, exchange, { id, provider, credential, expiresInMs: KEPT_MS, data: undefined })
}

async function store(
  parts: GatewayParts,
  exchange: Exchange,
  envelope: Envelope,
  response: JsonObject | undefined
): Promise<void> {
  const id = stringOf(response, 'id')
  if (id === undefined) return
  const input = inputItems(readBody(envelope).input)
  const text = JSON.stringify({ input, response })
  if (text.length > MAX_STORED_BYTES) return
  const data = await parts.vault.seal(text)
  own(parts, exchange, {
    ...{ id, provider: '', credential: undefined, data },
    expiresInMs: parts.settings().keepResponsesMs,
  })
}

function own(
  { log }: GatewayParts,
  { caller, record }: Exchange,
  {
    expiresInMs,
    ...kept
  }: Pick<OwnedObject, 'id' | 'provider' | 'credential' | 'data'> & {
    expiresInMs: number
  }
): void {
  const nowMs = Date.now()
  log.own({
    ...kept,
    ...{ kind: 'response', keyId: caller?.id, model: record.target?.name, requestId: record.id },
    ...{ createdAtMs: nowMs, expiresAtMs: nowMs + expiresInMs },
  })
}

/** Passes a stream on and keeps the response that its last event has, before the client learns that it was the last. */
class KeepingStream implements AnswerStream {
  readonly #parts: GatewayParts
  readonly #exchange: Exchange
  readonly #envelope: Envelope
  readonly #stream: AnswerStream
  /** Since the last event that may be the last. */
  #tail = ''
  readonly #decoder = new TextDecoder()

  constructor(
    parts: GatewayParts,
    exchange: Exchange,
    envelope: Envelope,
    { stream, held }: Extract<UpstreamAnswer, { kind: 'stream' }>
  ) {
    this.#parts = parts
    this.#exchange = exchange
    this.#envelope = envelope
    this.#stream = stream
    for (const frames of held) this.#watch(frames)
  }

  get hasContent(): boolean {
    return this.#stream.hasContent
  }

  get isDone(): boolean {
    return this.#stream.isDone
  }

  get facts(): AnswerStream['facts'] {
    return this.#stream.facts
  }

  async next(): Promise<Uint8Array | undefined> {
    const frames = await this.#stream.next()
    if (frames) this.#watch(frames)
    await this.keepLast()
    return frames
  }

  /** Keeps the response if its last event has been seen. */
  async keepLast(): Promise<void> {
    const [, data] = LAST_EVENT.exec(this.#tail) ?? []
    if (data === undefined) return
    this.#tail = ''
    const event = parseObject(encoder.encode(data))
    const response = isRecord(event?.response) ? event.response : undefined
    await store(this.#parts, this.#exchange, this.#envelope, response)
  }

  cancel(): void {
    this.#stream.cancel()
  }

  #watch(frames: Uint8Array): void {
    const text = this.#tail + this.#decoder.decode(frames, { stream: true })
    // A line begins nowhere within a text of JSON.
    const at = text.startsWith(LAST) ? 0 : text.indexOf(`\n${LAST}`) + 1
    const hasBegun = at > 0 || text.startsWith(LAST)
    this.#tail = hasBegun ? text.slice(at, at + MAX_STORED_BYTES) : text.slice(-LAST.length - 1)
  }
}

const LAST = 'event: response.completed'
const LAST_EVENT = /^event: response\.completed\ndata: (.*)\n\n/

function readBody({ body }: Envelope): JsonObject {
  return parseObject(body) ?? {}
}

function parseObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: JsonValue = JSON.parse(decoder.decode(bytes))
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Ids of another provider's items mean nothing to the next one; those of calls join calls and results. */
function withoutId(item: JsonValue): JsonValue {
  if (!isRecord(item)) return item
  const { id: _id, status: _status, ...rest } = item
  return rest
}
