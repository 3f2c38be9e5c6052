import { stringOf } from '../std/record'
import type { WholeAnswer } from './answer'
import type { ClientCall } from './client-call'

const encoder = new TextEncoder()

/**
 * What a provider says of a batch of Anthropic's, with the address of its results leading here: SDKs go there with the
 * client's own key. `origin` is how the client reaches the gateway.
 */
export function withOwnResults<Said extends Record<string, unknown>>(
  said: Said,
  origin: string
): Said {
  const id = stringOf(said, 'id')
  if (id === undefined || stringOf(said, 'results_url') === undefined) return said
  return { ...said, results_url: `${origin}/v1/messages/batches/${id}/results` }
}

/** The same of a whole answer, whose bytes stay as they are where nothing is to change. */
export function answerWithOwnResults(
  whole: WholeAnswer,
  said: Record<string, unknown>,
  call: Pick<ClientCall, 'origin'>
): WholeAnswer {
  if (stringOf(said, 'results_url') === undefined) return whole
  return { ...whole, body: encoder.encode(JSON.stringify(withOwnResults(said, call.origin()))) }
}
