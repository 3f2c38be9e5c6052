import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { OpenAI } from 'openai'

import { until } from '../harness'
import { createClient, type Floor, loadSdks, rejectionOf, startFloor } from './sdks'

const SDKS = await loadSdks()
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const MESSAGES: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Hello?' }]

type StreamFault = { model: string; code: string; says: RegExp }

/**
 * Ways a provider can fail once its answer has begun. The reset comes well behind the first words: with what a
 * connection has not delivered yet when it is reset, it is rightly an answer that never began.
 */
const FAULTS: StreamFault[] = [
  {
    model: 'sim/fault-reset-mid-stream;tps=20',
    code: 'upstream_broken',
    says: /broke off in the middle/,
  },
  { model: 'sim/fault-truncated-stream', code: 'upstream_broken', says: /before the answer was/ },
  { model: 'sim/fault-truncated-json', code: 'upstream_broken', says: /before the answer was/ },
  { model: 'sim/fault-malformed-sse', code: 'upstream_malformed', says: /frame that is not JSON/ },
  { model: 'sim/fault-error-mid-stream', code: 'server_error', says: /while it was answering/ },
  { model: 'steady/fault-hang-mid-stream', code: 'upstream_timeout', says: /no further frame/ },
]

let floor: Floor
beforeAll(async () => {
  floor = await startFloor()
})
afterAll(() => floor.stop())

describe.each(SDKS)('failing streams by $name', (sdk) => {
  const ask = () => createClient(sdk, floor).chat.completions

  /** Not a subclass: a connection that broke, or a caller's own abort, would be one. */
  function expectRaised(error: unknown, { code, says }: Omit<StreamFault, 'model'>) {
    if (!(error instanceof sdk.openai.APIError)) throw error
    expect(error.constructor).toBe(sdk.openai.APIError)
    expect(error.code).toBe(code)
    expect(error.message).toMatch(says)
    expect(error.requestID).toMatch(UUID)
  }

  test.concurrent.each(FAULTS)(
    '$model: what came before is given, then $code is raised',
    async (fault) => {
      const stream = await ask().create({ model: fault.model, messages: MESSAGES, stream: true })
      let content = ''
      const reading = (async () => {
        for await (const chunk of stream) content += chunk.choices[0]?.delta.content ?? ''
      })()
      expectRaised(await rejectionOf(reading), fault)
      expect(content).toStartWith('You')
    }
  )

  test.concurrent.each(FAULTS)('$model: the stream helper rejects', async (fault) => {
    const stream = ask().stream({ model: fault.model, messages: MESSAGES })
    expectRaised(await rejectionOf(stream.finalChatCompletion()), fault)
  })

  test('a failing stream of the legacy kind raises too', async () => {
    const { completions } = createClient(sdk, floor)
    const request = { model: 'sim/fault-truncated-stream', prompt: 'Hello' }
    const stream = await completions.create({ ...request, stream: true })
    const code = 'upstream_broken'
    expectRaised(await rejectionOf(Array.fromAsync(stream)), { code, says: /before the answer/ })
  })

  test('a stream that said all and lacks only its end mark is no failure', async () => {
    const request = { model: 'sim/fault-no-done', messages: MESSAGES }
    const completion = await ask().stream(request).finalChatCompletion()
    expect(completion.choices[0]?.finish_reason).toBe('stop')
  })
})

describe.each(SDKS)('leaving by $name', (sdk) => {
  const ask = () => createClient(sdk, floor).chat.completions
  const endless = {
    model: 'sim/sim-1;tps=50;tokens=100000',
    messages: MESSAGES,
    stream: true,
  } as const

  beforeEach(async () => {
    // What the test before this one left has to be noticed first.
    await until(() => floor.simulator.stats().open === 0)
    floor.simulator.reset()
  })

  /** The provider has noticed that nobody wants its answer any more. */
  async function untilCancelled() {
    await until(() => floor.simulator.stats().cancelled === 1)
    expect(floor.simulator.stats()).toMatchObject({ requests: 1, open: 0 })
  }

  test('an AbortController in mid-stream ends the provider’s work', async () => {
    const leaving = new AbortController()
    const stream = await ask().create(endless, { signal: leaving.signal })
    let chunks = 0
    for await (const _ of stream) if (++chunks === 3) leaving.abort()
    expect(chunks).toBe(3)
    await untilCancelled()
  })

  test('leaving the loop ends the provider’s work', async () => {
    for await (const chunk of await ask().create(endless)) if (chunk.choices.length > 0) break
    await untilCancelled()
  })

  test('an aborted stream helper says so and ends the provider’s work', async () => {
    const stream = ask().stream(endless)
    stream.on('content', () => stream.abort())
    const error = await rejectionOf(stream.finalChatCompletion())
    expect(error).toBeInstanceOf(sdk.openai.APIUserAbortError)
    await untilCancelled()
  })

  test('a whole answer that is aborted while it is awaited ends the provider’s work', async () => {
    const leaving = new AbortController()
    const request = { model: 'sim/sim-1;ttft=600000', messages: MESSAGES }
    const asked = rejectionOf(ask().create(request, { signal: leaving.signal }))
    await until(() => floor.simulator.stats().open === 1)
    leaving.abort()
    expect(await asked).toBeInstanceOf(sdk.openai.APIUserAbortError)
    await untilCancelled()
  })
})
