import type { GatewayError } from '../../errors/gateway-error'
import { excerpt } from '../../std/excerpt'
import { isRecord, stringOf } from '../../std/record'
import { parseJson } from './converse-json'
import type { UpstreamRefusal } from '../protocol'
import { toRedirectError, toUpstreamError } from '../upstream-error'
import { EventStreamEncoder } from './event-stream'

const decoder = new TextDecoder()

/** The header that names the kind of an error, by which SDKs choose what they throw. */
const ERROR_TYPE = 'x-amzn-errortype'

/**
 * The body of an error; its kind stands in a header. An upstream's own, in this shape, is passed on as it came.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
 */
export function renderError(error: GatewayError): string {
  if (error.answer !== undefined && isErrorBody(parseJson(error.answer))) return error.answer
  return JSON.stringify({ message: error.message })
}

/** OpenAI's and Anthropic's bodies also say something of an error, in an `error` of their own. */
function isErrorBody(value: unknown): boolean {
  if (!isRecord(value) || value.error !== undefined) return false
  return messageOf(value) !== undefined
}

function messageOf(value: unknown): string | undefined {
  return stringOf(value, 'message') ?? stringOf(value, 'Message')
}

/** The kind of an error, for the SDK: the upstream's own where it said one, else by the status. */
export function errorHeaders(error: GatewayError): Record<string, string> {
  const own = error.headers?.[ERROR_TYPE]
  return { [ERROR_TYPE]: own ?? EXCEPTIONS[error.status] ?? byClass(error.status) }
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  400: 'ValidationException',
  401: 'AccessDeniedException',
  402: 'ServiceQuotaExceededException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  408: 'ModelTimeoutException',
  409: 'ConflictException',
  424: 'ModelErrorException',
  429: 'ThrottlingException',
  503: 'ServiceUnavailableException',
  504: 'ModelTimeoutException',
  529: 'ServiceUnavailableException',
}

function byClass(status: number): string {
  return status < 500 ? 'ValidationException' : 'InternalServerException'
}

/** The error as a message of a stream, of a kind that both Bedrock streams know; SDKs throw it. */
export function renderErrorFrame(error: GatewayError): Uint8Array {
  return new EventStreamEncoder().exception(toStreamException(error), { message: error.message })
}

function toStreamException({ status }: GatewayError): string {
  if (status === 429) return 'throttlingException'
  if (status === 503 || status === 529) return 'serviceUnavailableException'
  // Broken, malformed, late: it was the model's stream that failed, and asking again may help.
  if (status === 408 || status === 424 || status === 502 || status === 504)
    return 'modelStreamErrorException'
  return status < 500 ? 'validationException' : 'internalServerException'
}

/** The status that stands for an exception in a stream, or for the kind of an error. */
const STATUSES: Readonly<Record<string, number>> = {
  accessdeniedexception: 403,
  conflictexception: 409,
  internalserverexception: 500,
  modelerrorexception: 424,
  modelnotreadyexception: 429,
  modelstreamerrorexception: 424,
  modeltimeoutexception: 408,
  resourcenotfoundexception: 404,
  servicequotaexceededexception: 400,
  serviceunavailableexception: 503,
  throttlingexception: 429,
  validationexception: 400,
}

/**
 * The error that a frame stands for, by the event name that the framer gave it: `exception:NAME`, or `error:CODE` where
 * the service did not come so far as to name one. `undefined` for every other frame.
 */
export function toFrameError(data: string, event: string | undefined): GatewayError | undefined {
  const [, kind, name = ''] = /^(exception|error):(.*)$/s.exec(event ?? '') ?? []
  if (kind === undefined) return undefined
  const value = parseJson(data)
  const message = messageOf(value) ?? (excerpt(name || data, 300) || 'unknown error')
  const status = statusOf(value) ?? STATUSES[name.toLowerCase()] ?? 502
  return toUpstreamError('the provider', status, message, {
    ...(isErrorBody(value) && { answer: data }),
  })
}

/** A model that ended the stream may tell the status that it would have answered with. */
function statusOf(value: unknown): number | undefined {
  const status = isRecord(value) ? value.originalStatusCode : undefined
  return typeof status === 'number' && status >= 400 && status < 600 ? status : undefined
}

/** Reads an error status and its body. Never shows the caller what was said about our credential. */
export function parseError(provider: string, refusal: UpstreamRefusal): GatewayError {
  const { status, headers } = refusal
  const named = `the provider '${provider}'`
  const redirected = toRedirectError(named, status)
  if (redirected) return redirected
  const text = decoder.decode(refusal.body)
  const value = parseJson(text)
  return toUpstreamError(named, status, messageOf(value) ?? excerpt(text, 300), {
    headers,
    ...(isErrorBody(value) && { answer: text }),
  })
}
