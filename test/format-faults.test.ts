import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { type Harness, startHarness } from './harness'

// A stream that goes wrong in any format ends as an error for any client, and never as an answer.

const FAULTS = [
  'error-first-frame',
  'error-mid-stream',
  'reset-mid-stream',
  'truncated-stream',
  'malformed-sse',
]

const MESSAGES = [{ role: 'user', content: 'Hi' }]
const CONTENTS = [{ role: 'user', parts: [{ text: 'Hi' }] }]

/** How a client of each API asks for a stream, what says that it failed, and what would end it well. */
const CLIENTS = [
  {
    name: 'openai-chat',
    path: () => '/v1/chat/completions',
    body: (model: string) => ({ model, stream: true, messages: MESSAGES }),
    failed: /^data: \{"error"|"message":.*"type":/m,
    ended: '[DONE]',
  },
  {
    name: 'openai-responses',
    path: () => '/v1/responses',
    body: (model: string) => ({ model, stream: true, input: 'Hi' }),
    failed: /^event: (error|response\.failed)/m,
    ended: 'response.completed',
  },
  {
    name: 'anthropic-messages',
    path: () => '/v1/messages',
    body: (model: string) => ({ model, stream: true, max_tokens: 100, messages: MESSAGES }),
    failed: /^event: error/m,
    ended: 'event: message_stop',
  },
  {
    name: 'gemini',
    path: (model: string) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    body: () => ({ contents: CONTENTS }),
    failed: /^data: \{"error"/m,
    ended: '"finishReason"',
  },
  {
    name: 'bedrock-converse',
    path: (model: string) => `/model/${encodeURIComponent(model)}/converse-stream`,
    body: () => ({ messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }),
    failed: /:exception-type/,
    ended: 'messageStop',
  },
]

const UPSTREAMS = ['sim', 'responses', 'claude', 'google', 'bedrock']

let harness: Harness

beforeAll(async () => {
  harness = await startHarness()
  const { url } = harness.simulator
  const host = { api_key: 'none', model_list: false }
  const responses = { ...host, type: 'openai', base_url: `${url}/v1` }
  await harness.reload({
    providers: {
      responses: { ...responses, protocols: ['openai-responses'] },
      claude: { ...host, type: 'anthropic', base_url: url },
      google: { ...host, type: 'gemini', base_url: url },
      bedrock: { ...host, type: 'bedrock', base_url: url },
    },
  })
})
afterAll(() => harness.stop())

describe.each(CLIENTS)('a client of $name', ({ path, body, failed, ended }) => {
  describe.each(UPSTREAMS)('before %s', (upstream) => {
    test.each(FAULTS)('hears of %s', async (fault) => {
      const model = `${upstream}/fault-${fault}`
      const answer = await fetch(harness.gateway.url + path(model), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body(model)),
      })
      const text = Buffer.from(await answer.bytes()).toString('latin1')
      if (answer.ok) expect(text).toMatch(failed)
      expect(text).not.toContain(ended)
      const row = await harness.rowOf(answer)
      expect([row.outcome, row.errorCode]).toEqual(['failed', expect.stringMatching(/^upstream_/)])
    })
  })
})
