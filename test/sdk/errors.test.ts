import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { OpenAI } from 'openai'

import { createClient, type Floor, loadSdks, rejectionOf, startFloor } from './sdks'

const SDKS = await loadSdks()
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const MESSAGES: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Hello?' }]

type ErrorCase = {
  what: string
  model: string
  raises:
    | 'BadRequestError'
    | 'NotFoundError'
    | 'PermissionDeniedError'
    | 'RateLimitError'
    | 'InternalServerError'
  error: { status: number; code: string | null; type?: string; param?: string | null }
  says: RegExp
}

/** Refusals of our own, then the provider's, then the provider's failures to answer. */
const CASES: ErrorCase[] = [
  {
    what: 'no model is named',
    model: '',
    raises: 'BadRequestError',
    error: {
      status: 400,
      code: 'invalid_request',
      type: 'invalid_request_error',
      param: 'model',
    },
    says: /'model' must be a non-empty string/,
  },
  {
    what: 'the model has no provider',
    model: 'nowhere/model',
    raises: 'NotFoundError',
    error: { status: 404, code: 'model_not_found', param: 'model' },
    says: /nowhere\/model/,
  },
  {
    what: 'a bare name is misspelled',
    model: 'sim-2',
    raises: 'NotFoundError',
    error: { status: 404, code: 'model_not_found', param: 'model' },
    says: /did you mean 'sim-1'/,
  },
  {
    what: 'the provider finds a parameter wrong',
    model: 'sim/fault-error-400',
    raises: 'BadRequestError',
    error: { status: 400, code: 'invalid_value', param: 'temperature' },
    says: /refuses this temperature/,
  },
  {
    what: 'the provider knows no such model',
    model: 'sim/fault-error-404',
    raises: 'NotFoundError',
    error: { status: 404, code: 'model_not_found' },
    says: /does not exist/,
  },
  {
    what: 'the provider limits the rate',
    model: 'sim/fault-error-429',
    raises: 'RateLimitError',
    error: { status: 429, code: 'rate_limit_exceeded' },
    says: /Rate limit reached/,
  },
  {
    what: 'the provider has an error',
    model: 'sim/fault-error-500',
    raises: 'InternalServerError',
    error: { status: 500, code: null },
    says: /had an error/,
  },
  {
    what: 'the provider is overloaded',
    model: 'sim/fault-error-503',
    raises: 'InternalServerError',
    error: { status: 503, code: null },
    says: /overloaded/,
  },
  {
    what: 'the provider refuses the gateway’s key',
    model: 'sim/fault-error-401',
    raises: 'InternalServerError',
    error: { status: 502, code: 'upstream_unauthorized', type: 'upstream_error' },
    says: /gateway's own credential/,
  },
  {
    what: 'the provider forbids the gateway’s key the model',
    model: 'sim/fault-error-403',
    raises: 'InternalServerError',
    error: { status: 502, code: 'upstream_unauthorized', type: 'upstream_error' },
    says: /gateway's own credential/,
  },
  {
    what: 'nobody listens where the provider should be',
    model: 'gone/sim-1',
    raises: 'InternalServerError',
    error: { status: 502, code: 'upstream_unreachable', type: 'upstream_error' },
    says: /'gone' can't be reached/,
  },
  {
    what: 'the provider resets the connection',
    model: 'sim/fault-reset-before-headers',
    raises: 'InternalServerError',
    error: { status: 502, code: 'upstream_broken', type: 'upstream_error' },
    says: /closed the connection before it answered/,
  },
  {
    what: 'the provider’s error is a page',
    model: 'sim/fault-html-error',
    raises: 'InternalServerError',
    error: { status: 502, code: 'upstream_refused', type: 'upstream_error' },
    says: /answered 502: .*Bad Gateway/,
  },
  {
    what: 'the provider’s answer is a page',
    model: 'sim/fault-html-200',
    raises: 'InternalServerError',
    error: { status: 502, code: 'upstream_malformed', type: 'upstream_error' },
    says: /what is not an answer/,
  },
  {
    what: 'the provider redirects',
    model: 'sim/fault-redirect',
    raises: 'InternalServerError',
    error: { status: 502, code: 'upstream_redirected', type: 'upstream_error' },
    says: /redirect/,
  },
  {
    what: 'the provider begins with an error',
    model: 'sim/fault-error-first-frame',
    raises: 'InternalServerError',
    error: { status: 502, code: 'server_error' },
    says: /failed while it was answering/,
  },
  {
    what: 'the provider misses its deadline',
    model: 'prompt/fault-hang-before-headers',
    raises: 'InternalServerError',
    error: { status: 504, code: 'upstream_timeout', type: 'upstream_error' },
    says: /'prompt' sent nothing within 300 ms/,
  },
]

let floor: Floor
beforeAll(async () => {
  floor = await startFloor()
})
afterAll(() => floor.stop())

describe.each(SDKS)('errors by $name', (sdk) => {
  /** All that an application needs to tell failures apart, and to ask about one. */
  function expectError(error: unknown, { raises, error: facts, says }: Omit<ErrorCase, 'what'>) {
    expect(error).toBeInstanceOf(sdk.openai[raises])
    expect(error).toMatchObject({ ...facts, requestID: expect.stringMatching(UUID) })
    expect(String(error)).toMatch(says)
  }

  // A stream fails like a whole answer as long as nothing of it has come.
  describe.each([
    { how: 'whole', stream: false },
    { how: 'streamed', stream: true },
  ])('$how', ({ stream }) => {
    test.concurrent.each(CASES)('$what: $raises $error.status', async (expected) => {
      const { model } = expected
      const { completions } = createClient(sdk, floor).chat
      const error = await rejectionOf(completions.create({ model, messages: MESSAGES, stream }))
      expectError(error, expected)
    })
  })

  test.each([
    ['is unknown', `sk-tg-${'x'.repeat(43)}`, /is unknown here/],
    ['is another service’s', 'sk-proj-0123456789', /not one of this gateway's/],
  ])('a key that %s: AuthenticationError 401', async (_, apiKey, says) => {
    const client = createClient(sdk, floor, { apiKey })
    const errors = await Promise.all([
      rejectionOf(client.chat.completions.create({ model: 'sim/sim-1', messages: MESSAGES })),
      rejectionOf(client.embeddings.create({ model: 'sim/sim-embed-1', input: 'Hello?' })),
      rejectionOf(client.models.list()),
    ])
    for (const error of errors) {
      expect(error).toBeInstanceOf(sdk.openai.AuthenticationError)
      expect(error).toMatchObject({
        status: 401,
        code: 'invalid_api_key',
        type: 'authentication_error',
      })
      expect(String(error)).toMatch(says)
    }
  })

  test('a model the key may not use: PermissionDeniedError 403', async () => {
    const client = createClient(sdk, floor, { apiKey: floor.narrowKey })
    const asked = client.chat.completions.create({ model: 'sim/sim-1', messages: MESSAGES })
    const facts = { status: 403, code: 'model_not_allowed', type: 'permission_error' }
    expectError(await rejectionOf(asked), {
      model: 'sim/sim-1',
      raises: 'PermissionDeniedError',
      error: { ...facts, param: 'model' },
      says: /may not use the model 'sim\/sim-1'/,
    })
    const allowed = await client.embeddings.create({ model: 'sim/sim-embed-1', input: 'Hello?' })
    expect(allowed.data).toHaveLength(1)
  })

  test('a body that is no JSON: BadRequestError 400 with the position', async () => {
    const error = await rejectionOf(
      createClient(sdk, floor).post('/chat/completions', {
        body: '{"model": "sim/sim-1",\n "messages": oh}',
        headers: { 'content-type': 'application/json' },
      })
    )
    expectError(error, {
      model: '',
      raises: 'BadRequestError',
      error: { status: 400, code: 'invalid_json', type: 'invalid_request_error' },
      says: /line 2, column 14/,
    })
  })

  test('a path that is not served: NotFoundError 404', async () => {
    const { fineTuning } = createClient(sdk, floor)
    const request = { model: 'sim/sim-1', training_file: 'file-1' }
    const error = await rejectionOf(fineTuning.jobs.create(request))
    expect(error).toBeInstanceOf(sdk.openai.NotFoundError)
    expect(error).toMatchObject({ code: 'route_not_found' })
  })

  test('a refused rate keeps the provider’s advice when to come back', async () => {
    const { completions } = createClient(sdk, floor).chat
    const request = { model: 'sim/fault-error-429', messages: MESSAGES }
    const error = await rejectionOf(completions.create(request))
    if (!(error instanceof sdk.openai.RateLimitError)) throw error
    expect(error.headers.get('retry-after')).toBe('1')
    expect(error.headers.get('x-ratelimit-limit-requests')).toBe('10000')
  })
})
