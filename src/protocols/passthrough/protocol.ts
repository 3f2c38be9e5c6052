import { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { readJsonString } from '../../std/json-scan'
import { isRecord } from '../../std/record'
import type { Envelope } from '../envelope'
import { renderForm } from '../form'
import { toUsage as toGeminiUsage } from '../gemini/usage'
import { parseUsage as toMessagesUsage } from '../messages/usage'
import type { DirectCall } from '../object-call'
import { scanMembers } from '../openai/request'
import { toMediaUsage, toUsage as toChatUsage } from '../openai/usage'
import type { AnswerFacts, Protocol } from '../protocol'
import type { Usage } from '../usage'

const decoder = new TextDecoder()
const NO_BODY = new Uint8Array()

/**
 * A call that goes to a provider as it is. `known` is the format of what is asked for, where the gateway speaks it: then
 * its reader says what the request may cost and what its answer used. Of any other path usage is looked for in the
 * answer. `host` is how the provider's hosts are asked.
 */
export function createPassthrough(
  known: { protocol: Protocol; model: string | undefined; stream: boolean | undefined } | undefined,
  host: Protocol,
  call: DirectCall
): Protocol {
  const { client, upstream } = known?.protocol ?? host
  return {
    name: 'passthrough',
    spokenBy: host.name,
    operation: known?.protocol.operation ?? 'passthrough',
    client: {
      ...client,
      parseRequest: (body) => ({ ...read(body), direct: call }),
      parseForm: (form, route) => ({
        ...(known?.protocol.client.parseForm?.(form, route) ?? readUnknown(NO_BODY)),
        model: form.field('model') ?? '',
        form,
        direct: call,
      }),
    },
    upstream: {
      ...upstream,
      path: ({ resource = '' }) => resource,
      // Nothing of it is changed, the model's name neither.
      renderRequest: ({ body }) => body,
      renderForm: (form) => renderForm(form, {}),
      ...(known === undefined && { answers: 'file', parseAnswer: parseUnknown }),
    },
  }

  function read(body: Uint8Array): Envelope {
    if (known === undefined) return readUnknown(body)
    const { protocol, model, stream } = known
    return protocol.client.parseRequest(body, { model, stream })
  }
}

/** The model, where a body of JSON says one. Throws `invalid_json`, `invalid_request`. */
function readUnknown(body: Uint8Array): Envelope {
  const found = body.length > 0 ? scanMembers(body, ['model']).found : {}
  return {
    operation: 'passthrough',
    model: (found.model && readJsonString(body, found.model)) ?? '',
    stream: false,
    includesUsage: true,
    choices: 1,
    outputLimit: undefined,
    units: {},
    body,
    modelSpan: found.model,
    streamOptionsSpan: undefined,
    closeAt: 0,
  }
}

/** Usage in any of the shapes there are: in an answer of JSON, or in the last events of a stream. */
function parseUnknown(body: Uint8Array): AnswerFacts {
  const text = decoder.decode(body)
  const lines = text.startsWith('{') ? [text] : text.split('\n').toReversed()
  for (const line of lines) {
    const usage = usageOf(line.replace(/^data: ?/, ''))
    if (usage !== undefined) return { usage, finishReasons: [] }
  }
  return { usage: undefined, finishReasons: [] }
}

function usageOf(text: string): Usage | undefined {
  if (!text.includes('"usage')) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(value)) return undefined
  const { usage, usageMetadata } = value
  return (
    toChatUsage(usage) ??
    toMediaUsage(usage) ??
    toMessagesUsage(usage) ??
    toGeminiUsage(usageMetadata)
  )
}

/** Why a path is closed. */
export function closedPath(provider: string, path: string): GatewayError {
  return new GatewayError(
    'path_not_allowed',
    `'${excerpt(path, 100)}' asks no model of '${provider}' for anything, or is no plain path: only inference passes, and what providers.${provider}.passthrough.paths allows`
  )
}
