import type { OwnedObject } from '../db/owned-objects'
import { GatewayError } from '../errors/gateway-error'
import type { Envelope } from '../protocols/envelope'
import type { JsonValue } from '../protocols/json'
import { parseJsonObject } from '../protocols/json-object'
import type { Protocol } from '../protocols/protocol'
import { isRecord } from '../std/record'
import { changePlan, type Plan, type PlannedTarget } from '../routing/plan'
import type { Caller } from './caller'
import type { Exchange } from './exchange'
import type { GatewayParts } from './gateway-parts'
import { readKept } from './kept-at-provider'
import { inputItems, openStored } from './stored-responses'

const encoder = new TextEncoder()

/** A request, and the response that it goes on from. */
export type FollowingRequest = {
  readonly envelope: Envelope
  readonly keeper: OwnedObject | undefined
}

/**
 * Finds the response that a request goes on from: what is kept here is put before its own items, and what is kept by a
 * provider leads it there, its tokens counted. Throws `previous_response_not_found`.
 */
export async function followPrevious(
  parts: GatewayParts,
  protocol: Protocol,
  exchange: Exchange,
  envelope: Envelope
): Promise<FollowingRequest> {
  const id = envelope.keeping?.previousId
  if (id === undefined) return { envelope, keeper: undefined }
  const keeper = await findPrevious(parts, id, exchange.caller)
  if (keeper.provider !== '') {
    const keptTokens = readKept(keeper).tokens
    return { envelope: exchange.restate({ ...envelope, keptTokens }), keeper }
  }
  const { input, response } = await openStored(parts, keeper)
  const { previous_response_id: _id, ...body } = parseJsonObject(envelope.body) ?? {}
  const items = [...input, ...inputItems(response.output).map(withoutId), ...inputItems(body.input)]
  const whole = encoder.encode(JSON.stringify({ ...body, input: items }))
  const { fallbacks } = envelope
  const parsed = protocol.client.parseRequest(whole, {})
  const keeping = parsed.keeping && { ...parsed.keeping, followedId: id }
  return {
    envelope: exchange.restate({
      ...parsed,
      ...(keeping && { keeping }),
      ...(fallbacks && { fallbacks }),
    }),
    keeper,
  }
}

/**
 * The response of an id that a request goes on from. Throws `previous_response_not_found`: another key's is as unknown as
 * none.
 */
export async function findPrevious(
  { log }: Pick<GatewayParts, 'log'>,
  id: string,
  caller: Caller | undefined
): Promise<OwnedObject> {
  const [owned] = await log.owned({ objectKind: 'response', id })
  if (owned !== undefined && owned.keyId === caller?.id) return owned
  throw new GatewayError(
    'previous_response_not_found',
    `Previous response with id '${id.slice(0, 128)}' not found.`,
    { param: 'previous_response_id' }
  )
}

/**
 * The plan with those targets alone whose provider keeps what the request goes on from; all of them where it is kept here.
 * Throws `invalid_request` where there is none.
 */
export function planAtKeeper(plan: Plan, { id, provider, credential }: OwnedObject): Plan {
  if (provider === '') return changePlan(plan, { notes: [...plan.notes, `'${id}' is kept here`] })
  const mayUseCredential = credential === undefined ? undefined : toRule(credential)
  const targets: PlannedTarget[] = []
  for (const planned of plan.targets) {
    if (planned.target.provider.name !== provider) continue
    targets.push(
      mayUseCredential ? { ...planned, target: { ...planned.target, mayUseCredential } } : planned
    )
  }
  const by =
    credential === undefined ? provider : `${provider}, with the credential '${credential}'`
  if (targets.length > 0)
    return changePlan(plan, { targets, notes: [...plan.notes, `'${id}' is kept by ${by}`] })
  throw new GatewayError(
    'invalid_request',
    `'previous_response_id' is of a response that the provider '${provider}' keeps: name one of its models`,
    { param: 'previous_response_id' }
  )
}

const toRule = (credential: string) => (one: string) => one === credential

/** Ids of another provider's items mean nothing to the next one; those of calls join calls and results. */
function withoutId(item: JsonValue): JsonValue {
  if (!isRecord(item)) return item
  const { id: _id, status: _status, ...rest } = item
  return rest
}
