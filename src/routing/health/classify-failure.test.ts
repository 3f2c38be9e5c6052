import { describe, expect, test } from 'bun:test'
import { type ErrorCode, GatewayError } from '../../errors/gateway-error'
import { parseError as parseBedrock } from '../../protocols/bedrock/errors'
import { parseError as parseCohere } from '../../protocols/cohere/errors'
import { parseError as parseGemini } from '../../protocols/gemini/errors'
import { parseError as parseMessages, toStreamError } from '../../protocols/messages/errors'
import { parseError as parseOllama } from '../../protocols/ollama/errors'
import { parseError as parseOpenai } from '../../protocols/openai/errors'
import { toResponseError } from '../../protocols/responses/errors'
import { classifyFailure, type FailureCause, type FailureKind } from './classify-failure'

const PARSERS = {
  openai: parseOpenai,
  messages: parseMessages,
  gemini: parseGemini,
  bedrock: parseBedrock,
  cohere: parseCohere,
  ollama: parseOllama,
}

type Protocol = keyof typeof PARSERS

/** What the error of an upstream's answer comes to, read by its protocol as in an attempt. */
function classify(
  protocol: Protocol,
  status: number,
  body: unknown,
  headers: Record<string, string> = {}
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const refusal = { status, headers, body: new TextEncoder().encode(text) }
  return classifyFailure(PARSERS[protocol]('host', refusal), 0)
}

const openai = (message: string, code: string | null = null, type = 'invalid_request_error') => ({
  error: { message, type, param: null, code },
})
const anthropic = (type: string, message: string) => ({ type: 'error', error: { type, message } })
const google = (code: number, message: string, details: object[] = []) => ({
  error: { code, message, status: 'X', details },
})
const aws = (message: string) => ({ message })

describe('what providers answer', () => {
  test.each<[FailureKind, Protocol, number, unknown]>([
    // OpenAI and what speaks like it
    ['throttled', 'openai', 429, openai('Rate limit reached', 'rate_limit_exceeded', 'tokens')],
    ['credential', 'openai', 429, openai('You exceeded your quota', 'insufficient_quota')],
    ['credential', 'openai', 400, openai('Billing limit', 'billing_hard_limit_reached')],
    ['credential', 'openai', 401, openai('Incorrect API key', 'invalid_api_key')],
    ['context_length', 'openai', 400, openai('too long', 'context_length_exceeded')],
    ['context_length', 'openai', 400, openai("This model's maximum context length is 8192 tokens")],
    [
      'context_length',
      'openai',
      400,
      openai('Your input exceeds the context window of this model'),
    ],
    [
      'context_length',
      'openai',
      429,
      openai('Request too large for gpt-4 on tokens per min (TPM)'),
    ],
    [
      'context_length',
      'openai',
      413,
      openai('Request too large for model `x`', 'rate_limit_exceeded'),
    ],
    ['content_policy', 'openai', 400, openai('filtered', 'content_filter')],
    ['content_policy', 'openai', 400, openai('no', 'content_policy_violation')],
    [
      'content_policy',
      'openai',
      400,
      openai('Your request was rejected as a result of our safety system.'),
    ],
    [
      'content_policy',
      'openai',
      400,
      openai('Invalid prompt: your prompt was flagged', 'invalid_prompt'),
    ],
    [
      'content_policy',
      'openai',
      400,
      { error: { message: 'no', innererror: { code: 'ResponsibleAIPolicyViolation' } } },
    ],
    [
      'content_policy',
      'openai',
      403,
      { error: 'Content violates usage guidelines. Failed check: X' },
    ],
    ['content_policy', 'openai', 400, openai('Content Exists Risk')],
    [
      'capability',
      'openai',
      400,
      openai("Unsupported parameter: 'max_tokens'", 'unsupported_parameter'),
    ],
    ['capability', 'openai', 404, openai('The model `x` does not exist', 'model_not_found')],
    ['capability', 'openai', 404, { object: 'error', message: 'The model `x` does not exist.' }],
    ['capability', 'openai', 404, openai('No endpoints found that support tool use')],
    [
      'capability',
      'openai',
      404,
      openai('The API deployment does not exist', 'DeploymentNotFound'),
    ],
    ['capability', 'openai', 501, openai('not here')],
    ['request', 'openai', 400, openai("Missing required parameter: 'messages'")],
    [
      'request',
      'openai',
      400,
      openai("Invalid 'user': string too long", 'string_above_max_length'),
    ],
    ['request', 'openai', 404, openai("Item with id 'rs_1' not found.")],
    ['request', 'openai', 409, openai('conflict')],
    ['request', 'openai', 422, openai('bad field')],
    ['provider', 'openai', 500, openai('The server had an error', null, 'server_error')],
    ['provider', 'openai', 502, '<html>Bad Gateway</html>'],
    ['provider', 'openai', 503, 'upstream connect error'],
    ['provider', 'openai', 404, '<html>nginx</html>'],
    ['provider', 'openai', 409, ''],
    ['provider', 'openai', 421, '<html>'],
    ['provider', 'openai', 408, 'timed out'],
    // Anthropic
    [
      'throttled',
      'messages',
      429,
      anthropic('rate_limit_error', 'Number of requests has exceeded'),
    ],
    ['throttled', 'messages', 529, anthropic('overloaded_error', 'Overloaded')],
    [
      'context_length',
      'messages',
      400,
      anthropic('invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
    ],
    [
      'context_length',
      'messages',
      400,
      anthropic(
        'invalid_request_error',
        'input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000'
      ),
    ],
    [
      'context_length',
      'messages',
      413,
      anthropic('request_too_large', 'Request exceeds the maximum size'),
    ],
    [
      'content_policy',
      'messages',
      400,
      anthropic('invalid_request_error', 'Output blocked by content filtering policy'),
    ],
    [
      'credential',
      'messages',
      400,
      anthropic(
        'invalid_request_error',
        'Your credit balance is too low to access the Anthropic API.'
      ),
    ],
    ['credential', 'messages', 402, anthropic('billing_error', 'pay')],
    ['credential', 'messages', 403, anthropic('permission_error', 'no permission')],
    [
      'capability',
      'messages',
      400,
      anthropic('invalid_request_error', 'thinking.x: Extra inputs are not permitted'),
    ],
    ['capability', 'messages', 404, anthropic('not_found_error', 'model: claude-9')],
    [
      'request',
      'messages',
      400,
      anthropic('invalid_request_error', 'messages: at least one message is required'),
    ],
    ['provider', 'messages', 500, anthropic('api_error', 'Internal server error')],
    // Google
    ['throttled', 'gemini', 429, google(429, 'Resource has been exhausted (e.g. check quota).')],
    ['throttled', 'gemini', 503, google(503, 'The model is overloaded. Please try again later.')],
    [
      'throttled',
      'gemini',
      429,
      google(429, 'You exceeded your current quota', [
        { violations: [{ quotaId: 'GenerateRequestsPerMinutePerProjectPerModel' }] },
      ]),
    ],
    [
      'credential',
      'gemini',
      429,
      google(429, 'You exceeded your current quota', [
        { violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }] },
      ]),
    ],
    ['credential', 'gemini', 400, google(400, 'API key not valid. Please pass a valid API key.')],
    ['credential', 'gemini', 400, google(400, 'User location is not supported for the API use.')],
    [
      'context_length',
      'gemini',
      400,
      google(
        400,
        'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).'
      ),
    ],
    [
      'capability',
      'gemini',
      404,
      google(
        404,
        'models/x is not found for API version v1beta, or is not supported for generateContent.'
      ),
    ],
    [
      'capability',
      'gemini',
      400,
      google(400, 'Invalid JSON payload received. Unknown name "x": Cannot find field.'),
    ],
    [
      'request',
      'gemini',
      400,
      google(400, 'Please ensure that function call turn comes immediately after a user turn'),
    ],
    ['provider', 'gemini', 500, google(500, 'An internal error has occurred.')],
    // Bedrock
    ['throttled', 'bedrock', 429, aws('Too many tokens, please wait before trying again.')],
    [
      'credential',
      'bedrock',
      429,
      aws('Too many tokens per day, please wait before trying again.'),
    ],
    ['credential', 'bedrock', 403, aws("You don't have access to the model")],
    ['credential', 'bedrock', 400, aws('Your request exceeds the service quota for your account.')],
    ['context_length', 'bedrock', 400, aws('Input is too long for requested model.')],
    [
      'context_length',
      'bedrock',
      400,
      aws('Too many input tokens. Max input tokens: 4096, request input token count: 5000'),
    ],
    [
      'context_length',
      'bedrock',
      400,
      aws('The model returned the following errors: prompt is too long: 2 tokens > 1 maximum'),
    ],
    [
      'content_policy',
      'bedrock',
      400,
      aws('The model returned the following errors: Output blocked by content filtering policy'),
    ],
    ['capability', 'bedrock', 400, aws("This model doesn't support tool use.")],
    [
      'capability',
      'bedrock',
      400,
      aws("Invocation of model ID x with on-demand throughput isn't supported."),
    ],
    ['capability', 'bedrock', 400, aws('The provided model identifier is invalid.')],
    ['provider', 'bedrock', 408, aws('Model has timed out in processing the request.')],
    ['provider', 'bedrock', 424, aws('The model failed.')],
    ['provider', 'bedrock', 503, aws('Bedrock is unable to process your request.')],
    ['request', 'bedrock', 400, aws('Malformed input request: expected type: Number')],
    // Cohere and Ollama
    [
      'context_length',
      'cohere',
      400,
      aws(
        'too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292.'
      ),
    ],
    ['content_policy', 'cohere', 498, aws('blocked')],
    [
      'credential',
      'cohere',
      429,
      aws('You are using a Trial key, which is limited to 1000 API calls / month'),
    ],
    ['throttled', 'cohere', 429, aws('too many requests')],
    ['capability', 'ollama', 404, { error: "model 'x' not found" }],
    ['capability', 'ollama', 400, { error: 'registry.ollama.ai/library/x does not support tools' }],
    ['provider', 'ollama', 500, { error: 'llama runner process has terminated' }],
    [
      'throttled',
      'ollama',
      503,
      { error: 'server busy, please try again. maximum pending requests exceeded' },
    ],
  ])('%s: %s %i %j', (kind, protocol, status, body) => {
    expect(classify(protocol, status, body).kind).toBe(kind)
  })

  test('in a stream', () => {
    const overloaded = anthropic('overloaded_error', 'Overloaded')
    expect(classifyFailure(toStreamError(overloaded, JSON.stringify(overloaded)), 0)).toMatchObject(
      { kind: 'throttled', cause: 'overloaded' }
    )
    const failed = {
      type: 'response.failed',
      response: { error: { code: 'context_length_exceeded', message: 'm' } },
    }
    expect(classifyFailure(toResponseError(failed), 0).kind).toBe('context_length')
    const broken = { type: 'error', code: 'server_error', message: 'm' }
    expect(classifyFailure(toResponseError(broken), 0).kind).toBe('provider')
  })

  test('and when to come back', () => {
    const limited = openai('Slow down', 'rate_limit_exceeded')
    expect(classify('openai', 429, limited, { 'retry-after': '3' })).toEqual({
      kind: 'throttled',
      cause: undefined,
      retryAfterMs: 3_000,
    })
    expect(classify('openai', 429, openai('Please try again in 1.5s.')).retryAfterMs).toBe(1_500)
    expect(classify('gemini', 429, google(429, 'm', [{ retryDelay: '34.4s' }])).retryAfterMs).toBe(
      34_400
    )
    expect(classify('openai', 429, limited).retryAfterMs).toBeUndefined()
  })

  test('also by headers that do not pass to the client', () => {
    const error = parseMessages('host', { status: 429, headers: {}, body: new Uint8Array() })
    const headers = new Headers({ 'x-ratelimit-reset-requests': '6m0s' })
    expect(classifyFailure(error, 0, headers).retryAfterMs).toBe(360_000)
  })

  test('an exception is known by its header alone', () => {
    const headers = { 'x-amzn-errortype': 'ServiceQuotaExceededException:http://x/' }
    expect(classify('bedrock', 400, aws('no'), headers).kind).toBe('credential')
  })

  test('a request can not make the credential look bad by what it has quoted', () => {
    const quoted = openai("Invalid value: 'Your credit balance is too low'.")
    expect(classify('openai', 400, quoted).kind).toBe('request')
  })

  test('nobody reads a huge answer, or a broken one', () => {
    expect(classify('openai', 400, openai('x'.repeat(200_000), 'content_filter')).kind).toBe(
      'request'
    )
    const error = new GatewayError('upstream_refused', 'm', { status: 400, answer: '{"error":' })
    expect(classifyFailure(error, 0).kind).toBe('request')
  })
})

test.each<[ErrorCode, FailureKind, FailureCause | undefined]>([
  ['upstream_unreachable', 'provider', 'unreachable'],
  ['upstream_timeout', 'provider', 'timeout'],
  ['upstream_broken', 'provider', undefined],
  ['upstream_malformed', 'provider', undefined],
  ['client_closed', 'client', undefined],
  ['lossy_translation', 'capability', undefined],
  ['protocol_not_spoken', 'capability', undefined],
  ['invalid_request', 'request', undefined],
  ['insufficient_quota', 'policy', undefined],
  ['rate_limit_exceeded', 'policy', undefined],
  ['internal_error', 'policy', undefined],
])('our own %s is %s', (code, kind, cause) => {
  const failure = classifyFailure(new GatewayError(code, 'm'), 0)
  expect([failure.kind, failure.cause]).toEqual([kind, cause])
})

test('a stream that HTTP/2 refused comes from a host that is there', () => {
  const cause = Object.assign(new Error('refused'), { code: 'HTTP2RefusedStream' })
  const failure = classifyFailure(new GatewayError('upstream_unreachable', 'm', { cause }), 0)
  expect(failure).toMatchObject({ kind: 'provider', cause: 'overloaded' })
})
