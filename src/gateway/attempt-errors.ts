import { GatewayError } from '../errors/gateway-error'
import { type Losses, renderLosses } from '../protocols/losses'

/** The error for a request that can't be told whole to a model, where its client asks for no less. */
export function tooLossy(model: string, losses: Losses): GatewayError {
  const [first] = losses.list
  return new GatewayError(
    'lossy_translation',
    `'${model}' can't be told everything (x-tg-require: strict): ${renderLosses(losses.list)}`,
    { ...(first && { param: first.field }), shouldRetry: false }
  )
}

/** Where the credential is the caller's own, so is its refusal. */
export function blameCaller(error: GatewayError, status: number): GatewayError {
  if (error.code !== 'upstream_unauthorized') return error
  const said = error.detail ?? 'the credential is refused'
  return new GatewayError('upstream_refused', `the provider answered ${status}: ${said}`, {
    status,
  })
}
