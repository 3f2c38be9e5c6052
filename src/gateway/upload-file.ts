import { GatewayError } from '../errors/gateway-error'
import { explainCovered } from '../keys/rights'
import type { Envelope } from '../protocols/envelope'
import { BatchLines, type BatchInput } from '../protocols/objects/batch-lines'
import type { Provider } from '../providers/provider'
import { stringOf } from '../std/record'
import type { Exchange } from './exchange'
import type { Answer, GatewayParts } from './gateway-parts'
import { toKeeper } from './owned-objects'

/**
 * Takes a file to the provider that is to keep it: the one that `?provider=` names, or that of the route of `model`, or
 * the only one that keeps files. The key that sent it owns it. Throws `invalid_request` where none of these says one.
 */
export async function uploadFile(
  parts: GatewayParts,
  exchange: Exchange,
  envelope: Envelope,
  { format, query }: { format: string; query: URLSearchParams }
): Promise<Answer> {
  const { form } = envelope
  if (form === undefined || form.files.length === 0)
    throw new GatewayError('invalid_request', "'file' must be part of a multipart/form-data body", {
      param: 'file',
    })
  const provider = chooseProvider(parts, exchange, envelope, { format, query })
  const denial = exchange.caller && explainCovered(exchange.caller, `${provider.name}/files`)
  if (denial) throw new GatewayError('model_not_allowed', denial.message, { param: 'provider' })
  const batch = form.field('purpose') === 'batch' ? await readLines(envelope) : undefined
  const whole = await exchange.turn(envelope, exchange.pin(toKeeper(provider, undefined)))
  if (whole.kind === 'stream') throw new Error('an upload was answered with a stream')
  const said = parseAnswer(whole.body)
  const id = stringOf(said, 'id')
  if (id === undefined)
    throw new GatewayError('upstream_malformed', 'the provider took a file and gave it no id')
  const { record, caller } = exchange
  parts.log.own({
    ...{ kind: 'file', id, keyId: caller?.id, provider: provider.name, requestId: record.id },
    ...{ credential: record.target?.provider.credentialName, createdAtMs: Date.now() },
    data: JSON.stringify({ object: said, batch }),
  })
  return exchange.answer(whole)
}

function parseAnswer(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}

function chooseProvider(
  parts: GatewayParts,
  exchange: Exchange,
  envelope: Envelope,
  { format, query }: { format: string; query: URLSearchParams }
): Provider {
  const keepers = parts
    .providers()
    .filter(({ configuration }) => configuration.protocols.some((name) => name === format))
  const name = query.get('provider') ?? envelope.form?.field('provider')
  const model = query.get('model') ?? envelope.form?.field('model')
  const asked =
    name ??
    (model ? exchange.plan({ ...envelope, model }).targets[0]?.target.provider.name : undefined)
  const found = asked === undefined ? undefined : keepers.find((one) => one.name === asked)
  if (found !== undefined) return found
  const [only, ...others] = keepers
  if (asked === undefined && only !== undefined && others.length === 0) return only
  const names = keepers.map((one) => one.name).join(', ')
  throw new GatewayError(
    'invalid_request',
    asked === undefined
      ? `several providers keep files (${names}): name one by ?provider=, or the file's model by ?model=`
      : `the provider '${asked}' keeps no files by this API; these do: ${names || 'none'}`,
    { param: 'provider' }
  )
}

/** What a batch of this file would ask for. */
async function readLines({ form }: Envelope): Promise<BatchInput> {
  const lines = new BatchLines()
  for (const { content } of form?.files ?? [])
    for await (const piece of content.read()) lines.push(piece)
  return lines.end()
}
