import type { OwnedObject } from '../db/owned-objects'
import type { Envelope } from '../protocols/envelope'
import { parseJsonObject } from '../protocols/json-object'
import type { ObjectCall } from '../protocols/object-call'
import type { Protocol } from '../protocols/protocol'
import type { WholeAnswer } from './answer'
import type { ClientCall } from './client-call'
import { Exchange } from './exchange'
import type { Answer, GatewayParts } from './gateway-parts'
import { answerWithOwnResults } from './results-address'
import { makeBatch, noteBatch } from './make-batch'
import { readKept } from './kept-at-provider'
import { listOwn } from './list-own'
import { findOwn, targetOf } from './owned-objects'
import { countAsHeld, lookAtResponse, settleResponse } from './settle-response'
import { uploadFile } from './upload-file'
import { answerStored } from './stored-responses'

/**
 * The way of a call about what is kept under an id: its key is known, and the id is its own; then it goes to where that
 * is kept, with the credential that made it. Never throws: a failure is an answer too.
 */
export async function handleObject(
  parts: GatewayParts,
  protocol: Protocol,
  call: ClientCall,
  object: ObjectCall
): Promise<Answer> {
  const exchange = new Exchange(parts, protocol, call)
  let answer: Answer
  try {
    exchange.authenticate()
    const envelope = await exchange.read()
    const request = exchange.govern(envelope)
    const preparing = parts.governor.prepare(request, [])
    if (preparing) await preparing
    if (object.action === 'make' && object.kind === 'batch')
      answer = await makeBatch(parts, exchange, envelope, { request, call })
    else {
      exchange.admit(request)
      answer =
        object.action === 'make'
          ? await uploadFile(parts, exchange, envelope, {
              format: protocol.name,
              query: object.query,
            })
          : await run(parts, exchange, envelope, { object, call })
    }
  } catch (error) {
    answer = exchange.fail(error)
  }
  await parts.log.written()
  return answer
}

async function run(
  parts: GatewayParts,
  exchange: Exchange,
  envelope: Envelope,
  { object, call }: { object: ObjectCall; call: ClientCall }
): Promise<Answer> {
  if (object.action === 'list')
    return exchange.answerOwn(
      await listOwn(parts, exchange, object, {
        origin: call.origin(),
        isGemini: envelope.direct !== undefined && exchange.record.api === 'gemini-batches',
      })
    )
  const owned = await findOwn(parts, object.kind, object.id ?? '', exchange.caller)
  if (owned.provider === '') return exchange.answerOwn(await answerStored(parts, owned, object))
  const isRunning = object.kind === 'response' && readKept(owned).isRunning === true
  // Once it is gone nobody says what it took.
  if (isRunning && object.action === 'drop') await lookAtResponse(parts, owned).catch(() => {})
  const plan = exchange.pin(targetOf(parts, owned))
  const turning = exchange.turn(envelope, plan)
  if (envelope.stream) return await exchange.stream(turning)
  const whole = await turning
  if (whole.kind === 'stream') return exchange.pass(whole)
  if (isRunning)
    await noteRunning(parts, owned, object, whole).catch((error: unknown) =>
      parts.report(owned.requestId, error)
    )
  const said = note(parts, owned, object, whole)
  return exchange.answer(said ? answerWithOwnResults(whole, said, call) : whole)
}

/** Has the cost of a response that ran in the background be known with the answer that shows it. */
async function noteRunning(
  parts: GatewayParts,
  owned: OwnedObject,
  { action }: ObjectCall,
  { body }: WholeAnswer
): Promise<void> {
  if (action === 'drop') return countAsHeld(parts, owned)
  const said = parseJsonObject(body)
  if (said?.id === owned.id) await settleResponse(parts, owned, said)
}

/** What an answer says of a batch is what a list will say of it, and tells when it is done. */
function note(
  parts: GatewayParts,
  owned: OwnedObject,
  { kind, action, id }: ObjectCall,
  { body }: WholeAnswer
): Record<string, unknown> | undefined {
  if (action === 'drop') parts.log.disown(kind, owned.id)
  if (action === 'drop' || kind === 'response') return undefined
  const said = parseJsonObject(body)
  if (said === undefined || (said.id !== id && said.name !== `batches/${id}`)) return undefined
  if (kind === 'batch') noteBatch(parts, owned, said)
  return said
}
