import { GatewayError } from '../errors/gateway-error'
import { explainRights } from '../keys/rights'
import type { ModelCard } from '../models/model-card'
import type { Envelope } from '../protocols/envelope'
import type { Protocol } from '../protocols/protocol'
import type { Provider } from '../providers/provider'
import { explainPinned, pinCredentials } from '../routing/pin-credentials'
import type { Plan } from '../routing/plan'
import type { Target } from '../routing/target'
import type { Caller } from './caller'
import type { ClientCall } from './client-call'
import { Exchange } from './exchange'
import type { Answer, GatewayParts } from './gateway-parts'
import { findPrevious, planAtKeeper } from './follow-previous'
import { keepAnswer } from './keep-response'
import { readKept } from './kept-at-provider'
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
    const read = await exchange.read()
    if (namesFiles(read.body)) await assertOwnFiles(parts, exchange, read.body)
    const target = toTarget(parts, exchange.caller, read, provider)
    const { keeping } = read
    const { envelope, plan } =
      keeping?.previousId === undefined
        ? { envelope: read, plan: exchange.pin(target) }
        : await planToKeeper(parts, exchange, read, target)
    const request = exchange.govern(envelope)
    const preparing = parts.governor.prepare(request, [target])
    if (preparing) await preparing
    exchange.admit(request)
    let turning = exchange.turn(envelope, plan)
    if (keeping?.isStored || keeping?.isBackground)
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

/**
 * A request that goes on from a response, with the tokens of that. Throws `previous_response_not_found`, and
 * `invalid_request` where another provider keeps it, or none.
 */
async function planToKeeper(
  parts: GatewayParts,
  exchange: Exchange,
  envelope: Envelope,
  target: Target
): Promise<{ envelope: Envelope; plan: Plan }> {
  const keeper = await findPrevious(parts, envelope.keeping?.previousId ?? '', exchange.caller)
  if (keeper.provider === '')
    throw new GatewayError(
      'invalid_request',
      "'previous_response_id' is of a response that this gateway keeps: go on from it by POST /v1/responses",
      { param: 'previous_response_id' }
    )
  const plan = planAtKeeper(exchange.pin(target), keeper)
  exchange.record.plan = plan
  return {
    envelope: exchange.restate({ ...envelope, keptTokens: readKept(keeper).tokens }),
    plan,
  }
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
