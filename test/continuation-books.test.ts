import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'

import { contentOf, eventsOf } from './answers'
import { entriesOf, spentNanoUsd, verifyBooks } from './fixtures/settled'
import { type Harness, type HarnessOptions, startHarness, until } from './harness'
import { eventStream, startSocketUpstream, startUpstream, type Upstream } from './upstream'

// What a stream that another target went on with looks like to its client, to the log and to the ledger.

const PRICE = { price: { input: 1, output: 2 } }

let harness: Harness
const upstreams: Upstream[] = []

beforeAll(async () => {
  harness = await startHarness(OPTIONS)
})
afterEach(async () => {
  await harness.reload(OPTIONS)
  await Promise.all(upstreams.splice(0).map((upstream) => upstream.stop()))
})
afterAll(() => harness.stop())

const BROKEN = 'sim/fault-reset-mid-stream'
const OPTIONS: HarnessOptions = {
  sim: { model_list: false, retry_on_reset: false },
  models: { 'sim/*': PRICE, 'other/*': PRICE, 'claude/*': PRICE },
  budgets: ['organization', 'provider/sim'].map((subject) => ({ subject, limit_usd: 100 })),
  limits: [{ subject: 'provider/sim', requests: 10_000, per: '1h' }],
  routes: {
    on: { continue_streams: true, targets: [BROKEN, 'sim/sim-1'] },
    off: { targets: [BROKEN, 'sim/sim-1'] },
    alone: { continue_streams: true, targets: [BROKEN] },
    thrice: {
      continue_streams: true,
      targets: [BROKEN, `${BROKEN};ttft=1`, `${BROKEN};ttft=2`, 'sim/sim-1'],
    },
    hangs: { continue_streams: true, targets: [BROKEN, 'sim/fault-hang-before-headers'] },
  },
}

const chunk = (content: string) =>
  `data: ${JSON.stringify({ id: 'a', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`

/** An upstream that is the provider `name`, of the type `type`. */
function add(name: string, type: string, answer: Parameters<typeof startUpstream>[0]) {
  const upstream = startUpstream(answer)
  upstreams.push(upstream)
  const base = type === 'anthropic' ? upstream.url.replace(/\/v1$/, '') : upstream.url
  const provider = { type, base_url: base, api_key: 'none', model_list: false }
  return { upstream, providers: { [name]: provider } }
}

const route = (...targets: string[]) => ({
  routes: { ...OPTIONS.routes, made: { continue_streams: true, targets } },
})

describe('a chat whose stream broke off', () => {
  test('is one answer to its client, and two attempts in log and ledger', async () => {
    const stream = { stream: true, stream_options: { include_usage: true } }
    const answer = await harness.chat({ model: 'on', ...stream })
    const { events, comments, terminators } = await eventsOf(answer)
    const chunks = events.filter((event) => event !== '[DONE]').map((event) => JSON.parse(event))
    expect(new Set(chunks.map(({ id, model, created }) => `${id} ${model} ${created}`)).size).toBe(
      1
    )
    const roles = chunks.filter(({ choices }) => choices[0]?.delta.role !== undefined)
    const finishes = chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])
    expect([roles.length, finishes, terminators, comments]).toEqual([
      ...[1, ['stop'], 1, [': continued by sim/sim-1']],
    ])
    const row = await harness.rowOf(answer)
    const { usage } = chunks.at(-1)
    expect([usage.prompt_tokens, usage.completion_tokens]).toEqual([
      row.inputTokens,
      row.outputTokens,
    ])
    expect(row).toMatchObject({
      ...{ outcome: 'ok', model: 'sim/sim-1', usageProvenance: 'estimated' },
      attempts: [
        { number: 1, outcome: 'failed', errorCode: 'upstream_broken' },
        { number: 2, outcome: 'ok', retryOf: 'continued' },
      ],
    })
    const [last, first, ...others] = entriesOf(harness, row.id)
    expect(last).toMatchObject({ kind: 'request', attempt: 2, provenance: 'computed' })
    expect(first).toMatchObject({ kind: 'attempt', attempt: 1, model: BROKEN })
    expect([first?.provenance, others]).toEqual(['estimated', []])
    expect((last?.costNanoUsd ?? 0) + (first?.costNanoUsd ?? 0)).toBe(row.costNanoUsd ?? -1)
    const explained = await fetch(`${harness.gateway.url}/v1/requests/${row.id}`)
    expect(await explained.json()).toMatchObject({ continued: true, hedged: false })
  })

  test('ends in an error event where the route does not say so, as before', async () => {
    const { errors, terminators } = await eventsOf(
      await harness.chat({ model: 'off', stream: true })
    )
    expect([errors.length, terminators]).toEqual([1, 0])
  })

  test.each([
    ['of JSON', { response_format: { type: 'json_object' } }],
    ['with several choices', { n: 2 }],
    ['with log probabilities', { logprobs: true }],
    ['with a call of a tool', { tools: [{ type: 'function', function: { name: 'look_it_up' } }] }],
  ])('is not gone on with %s', async (_, body) => {
    const answer = await harness.chat({ model: 'on', stream: true, ...body })
    expect((await eventsOf(answer)).errors.length).toBe(1)
    expect((await harness.rowOf(answer)).attempts?.length).toBe(1)
  })

  test('asks the same target again where there is no other', async () => {
    const answer = await harness.chat({ model: 'alone', stream: true })
    const { events, errors } = await eventsOf(answer)
    expect(errors.length).toBe(1)
    // Each of its three answers had three words before it broke off.
    expect(contentOf(events.filter((event) => !event.startsWith('{"error"')))).toBe(
      'You said: “What is a tollgate?”. This is'
    )
  })

  test('is gone on with twice, and no more often', async () => {
    const answer = await harness.chat({ model: 'thrice', stream: true })
    const { errors, comments } = await eventsOf(answer)
    expect([errors.length, comments.length]).toEqual([1, 2])
    const row = await harness.rowOf(answer)
    expect(row).toMatchObject({ outcome: 'failed', errorCode: 'upstream_broken' })
    expect(row.attempts?.map(({ retryOf }) => retryOf)).toEqual([
      undefined,
      'continued',
      'continued',
    ])
  })
})

describe('the target that goes on', () => {
  test('is sent the text as a prefill where it takes one, within what is left', async () => {
    const { upstream, providers } = add('claude', 'anthropic', () =>
      eventStream([
        'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1}}}\n\n',
        'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" two "}}\n\n',
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"three"}}\n\n',
        'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
        'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"output_tokens":2}}\n\n',
        'event: message_stop\ndata: {"type":"message_stop"}\n\n',
      ])
    )
    const broken = add('other', 'openai', () => eventStream([chunk('one '), 'data: {"oops\n\n']))
    const targets = route('other/m', 'claude/claude-sonnet-4-5')
    await harness.reload({
      ...{ ...OPTIONS, ...targets },
      providers: { ...providers, ...broken.providers },
    })
    const answer = await harness.chat({ model: 'made', stream: true, max_tokens: 50 })
    const { events } = await eventsOf(answer)
    expect(contentOf(events)).toBe('one two three')
    expect(events.join('\n')).toContain('"finish_reason":"length"')
    const sent = JSON.parse(upstream.received[0]?.body ?? '')
    expect(sent.messages.at(-1)).toMatchObject({ role: 'assistant' })
    expect(JSON.stringify(sent.messages.at(-1))).toContain('"one"')
    expect(sent.max_tokens).toBeLessThan(50)
  })

  test('may repeat the last words, and call a tool', async () => {
    const calls = [
      { index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } },
    ]
    const call = { choices: [{ index: 0, delta: { tool_calls: calls }, finish_reason: null }] }
    const end = { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }
    let asked = 0
    const { providers } = add('other', 'openai', () =>
      ++asked === 1
        ? eventStream([chunk('I will look it up'), 'data: {"oops\n\n'])
        : eventStream([
            ...[chunk('look it'), chunk(' up now.'), `data: ${JSON.stringify(call)}\n\n`],
            ...[`data: ${JSON.stringify(end)}\n\n`, 'data: [DONE]\n\n'],
          ])
    )
    await harness.reload({ ...OPTIONS, ...route('other/a', 'other/b'), providers })
    const { events } = await eventsOf(await harness.chat({ model: 'made', stream: true }))
    expect(contentOf(events)).toBe('I will look it up now.')
    expect(events.join('\n')).toContain('"name":"f"')
    expect(events.join('\n')).toContain('"finish_reason":"tool_calls"')
  })
})

test('a client that leaves while another target is asked cancels that one', async () => {
  const silent = await startSocketUpstream(() => {})
  const base = `http://127.0.0.1:${silent.port}/v1`
  const other = { type: 'openai', base_url: base, api_key: 'none', model_list: false }
  await harness.reload({ ...OPTIONS, ...route(BROKEN, 'other/m'), providers: { other } })
  const leaving = new AbortController()
  const headers = { 'x-request-id': 'leaves' }
  const answer = await harness.chat(
    { model: 'made', stream: true },
    { signal: leaving.signal, headers }
  )
  await until(() => silent.connections() === 1)
  leaving.abort()
  await answer.text().catch(() => {})
  const row = await harness.row(({ clientRequestId }) => clientRequestId === 'leaves')
  silent.stop()
  expect(row).toMatchObject({
    outcome: 'cancelled',
    attempts: [
      { number: 1, outcome: 'failed' },
      { number: 2, outcome: 'cancelled', retryOf: 'continued' },
    ],
  })
})

test('a text in Responses goes on with its numbers and names', async () => {
  const { url } = harness.simulator
  const own = { type: 'openai', base_url: `${url}/v1`, api_key: 'none', model_list: false }
  const providers = { other: { ...own, protocols: ['openai-responses'] } }
  const targets = route('other/fault-reset-mid-stream', 'sim/sim-1')
  await harness.reload({ ...OPTIONS, ...targets, providers })
  const answer = await fetch(`${harness.gateway.url}/v1/responses`, {
    method: 'POST',
    body: JSON.stringify({ model: 'made', stream: true, input: 'Hi' }),
  })
  const events = Array.from((await answer.text()).matchAll(/^data: (.*)$/gm), ([, json = '']) =>
    JSON.parse(json)
  )
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual([...events.keys()])
  const ids = events.flatMap(({ item_id, item }) => item_id ?? item?.id ?? [])
  expect(new Set(ids).size).toBe(1)
  const responses = events.flatMap(({ response }) => response?.id ?? [])
  expect(new Set(responses).size).toBe(1)
})

test('the books agree at the end', async () => {
  const counters = { counters: expect.any(Number), counter_differences: [], differences: [] }
  expect(await verifyBooks(harness)).toMatchObject({ ok: true, unresolved: 0, ...counters })
  expect(spentNanoUsd(harness)).toBeGreaterThan(0)
})
