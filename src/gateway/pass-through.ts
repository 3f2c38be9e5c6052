import type { OwnedObject } from '../db/owned-objects'
import { GatewayError } from '../errors/gateway-error'
import { explainRights } from '../keys/rights'
import type { ModelCard } from '../models/model-card'
import type { Envelope } from '../protocols/envelope'
import type { Protocol } from '../protocols/protocol'
import type { Provider } from '../providers/provider'
import { explainPinned, pinCredentials } from '../routing/pin-credentials'
import type { Target } from '../routing/target'
import type { Caller } from './caller'
import type { ClientCall } from './client-call'
import { Exchange } from './exchange'
import type { Answer, GatewayParts } from './gateway-parts'
import { followPrevious, keepAnswer, planAtKeeper } from './keep-response'
import { assertOwnFiles, namesFiles } from './own-files'
import { toKeeper } from './owned-objects'

/**
 * The way of a call that goes to a provider as it is: what its key may use, and its limits, hold for it all the same.
 * Never throws: a failure is an answer too.
 */
export async function passThrough(
  parts: GatewayParts,
  protocol: Protocol,
  call: ClientCall,
  provider: Provider
): Promise<Answer> {
  const exchange = new Exchange(parts, protocol, call)
  let answer: Answer
  try {
    exchange.authenticate()
    const envelope = await exchange.read()
    if (namesFiles(envelope.body)) await assertOwnFiles(parts, exchange, envelope.body)
    const keeper = await findKeeper(parts, protocol, exchange, envelope, provider)
    const target = toTarget(parts, exchange.caller, envelope, provider)
    const pinned = exchange.pin(target)
    const plan = keeper ? planAtKeeper(pinned, keeper) : pinned
    const request = exchange.govern(envelope)
    const preparing = parts.governor.prepare(request, [target])
    if (preparing) await preparing
    exchange.admit(request)
    let turning = exchange.turn(envelope, plan)
    if (protocol.keepsAnswers)
      turning = turning.then((answered) => keepAnswer(parts, exchange, envelope, answered))
    if (envelope.stream) return await exchange.stream(turning)
    const whole = await turning
    if (whole.kind === 'stream') return exchange.pass(whole)
    const metering = exchange.meter(whole.facts, undefined)
    if (metering) await metering
    answer = exchange.answer(whole)
  } catch (error) {
    answer = exchange.fail(error)
  }
  await parts.log.written()
  return answer
}

/** The response that a call goes on from, which has to be its key's, and kept by the very provider. */
async function findKeeper(
  parts: GatewayParts,
  protocol: Protocol,
  exchange: Exchange,
  envelope: Envelope,
  provider: Provider
): Promise<OwnedObject | undefined> {
  if (!protocol.keepsAnswers) return undefined
  const followed = await followPrevious(parts, protocol, exchange, envelope)
  const isElsewhere = followed.keeper && followed.keeper.provider !== provider.name
  if (followed.envelope === envelope && !isElsewhere) return followed.keeper
  throw new GatewayError(
    'invalid_request',
    `'previous_response_id' is of a response that '${provider.name}' does not keep`,
    { param: 'previous_response_id' }
  )
}

/** The model that the call names, which the provider will know by that very name. Throws `model_not_allowed`. */
function toTarget(
  parts: GatewayParts,
  caller: Caller | undefined,
  { model }: Envelope,
  provider: Provider
): Target {
  const { aliases, passthrough } = provider.configuration
  if (Object.hasOwn(aliases, model))
    throw new GatewayError(
      'invalid_request',
      `'${model}' is a name that this gateway knows '${aliases[model]}' by: what passes through has to say that`,
      { param: 'model' }
    )
  const named =
    model === '' ? toKeeper(provider, undefined) : parts.resolve(`${provider.name}/${model}`)
  const denial =
    caller && (model === '' ? explainUnnamed(caller) : explainRights(caller, named.name)?.message)
  if (denial) throw new GatewayError('model_not_allowed', denial, { param: 'model' })
  const target = caller ? pinCredentials(caller, named) : named
  if (target === undefined)
    throw new GatewayError('model_not_allowed', explainPinned(named), { param: 'model' })
  const { priceNanoUsd } = passthrough
  if (target.card?.price !== undefined || priceNanoUsd === undefined) return target
  return { ...target, card: toCard(provider, model, priceNanoUsd) }
}

/** Whoever may use some models alone has to say which one. */
function explainUnnamed({ levels }: Caller): string | undefined {
  for (const { kind, name, rights } of levels)
    for (const list of [
      rights.models,
      rights.deniedModels,
      rights.providers,
      rights.deniedProviders,
    ])
      if (list.length > 0)
        return `the ${kind} '${name}' may use some models or providers alone, and this call names no model`
  return undefined
}

/** The price of what nobody knows by its name. */
function toCard(provider: Provider, model: string, requestNanoUsd: number): ModelCard {
  return {
    ...{ provider: provider.name, model, kind: 'other', origin: 'configuration' },
    ...{ contextTokens: undefined, maxOutputTokens: undefined, abilities: undefined },
    price: { rates: {}, units: { request: requestNanoUsd } },
  }
}
