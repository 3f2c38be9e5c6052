import type { Protocol } from '../protocols/protocol'
import type { PlannedTarget } from '../routing/plan'
import type { ClientCall } from './client-call'
import { Exchange } from './exchange'
import type { Answer, GatewayParts } from './gateway-parts'
import { followPrevious } from './follow-previous'
import { keepAnswer } from './keep-response'
import { assertOwnFiles, namesFiles } from './own-files'

/** The way of a request, from top to bottom. Never throws: a failure is an answer too. */
export async function handle(
  parts: GatewayParts,
  protocol: Protocol,
  call: ClientCall
): Promise<Answer> {
  const exchange = new Exchange(parts, protocol, call)
  let answer: Answer
  try {
    exchange.authenticate()
    const read = await exchange.read()
    if (namesFiles(read.body)) await assertOwnFiles(parts, exchange, read.body)
    const { keeping } = read
    const following =
      keeping?.previousId === undefined
        ? undefined
        : await followPrevious(parts, protocol, exchange, read)
    const envelope = following?.envelope ?? read
    const plan = exchange.plan(envelope, following?.keeper)
    const request = exchange.govern(envelope)
    const preparing = parts.governor.prepare(request, plan.targets.map(targetOf))
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

/** The answer to a request that failed before or beside the way above; written down all the same. */
export async function refuse(
  parts: GatewayParts,
  protocol: Protocol,
  call: ClientCall,
  error: unknown
): Promise<Answer> {
  const answer = new Exchange(parts, protocol, call).fail(error)
  await parts.log.written()
  return answer
}

const targetOf = ({ target }: PlannedTarget) => target
