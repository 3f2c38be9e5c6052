import type { OwnedObject } from '../db/owned-objects'
import { GatewayError } from '../errors/gateway-error'
import type { ObjectKind } from '../protocols/object-call'
import type { Provider } from '../providers/provider'
import type { Target } from '../routing/target'
import type { RequestLog } from '../telemetry/request-log'
import type { Caller } from './caller'
import type { GatewayParts } from './gateway-parts'

type Books = { log: Pick<RequestLog, 'owned'> }

const NAMES: Readonly<Record<ObjectKind, string>> = {
  file: 'file',
  batch: 'batch',
  response: 'response',
}

/** What a key made before, by its id. Throws `object_not_found`: another key's is as unknown as none. */
export async function findOwn(
  { log }: Books,
  kind: ObjectKind,
  id: string,
  caller: Caller | undefined
): Promise<OwnedObject> {
  const [found] = await log.owned({ objectKind: kind, id })
  if (found === undefined || found.keyId !== caller?.id) throw notFound(kind, id)
  return found
}

/** As OpenAI says it: https://platform.openai.com/docs/guides/error-codes */
export function notFound(kind: ObjectKind, id: string): GatewayError {
  return new GatewayError(
    'object_not_found',
    `no ${NAMES[kind]} '${id.slice(0, 128)}' of this key is known`,
    { param: 'id' }
  )
}

/** Where an object is kept. Throws `object_not_found` where that is configured no more. */
export function targetOf(
  parts: Pick<GatewayParts, 'providers'>,
  { kind, id, provider: name, credential }: OwnedObject
): Target {
  const provider = parts.providers().find((one) => one.name === name)
  if (provider !== undefined) return toKeeper(provider, credential)
  throw new GatewayError(
    'object_not_found',
    `the ${NAMES[kind]} '${id}' is kept by the provider '${name}', which is configured no more`,
    { param: 'id' }
  )
}

/** A provider as the keeper of something, and not of a model; with one of its several credentials alone where one is named. */
export function toKeeper(provider: Provider, credential: string | undefined): Target {
  return {
    provider,
    upstreamModel: '',
    name: provider.name,
    protocols: provider.configuration.protocols,
    card: undefined,
    headerName: provider.name,
    ...(credential !== undefined && { mayUseCredential: (one: string) => one === credential }),
  }
}
