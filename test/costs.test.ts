import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Harness, startHarness } from './harness'

const PRICED = { price: { input: 0.15, output: 0.6, cache_read: 0.075 } }

let harness: Harness
let upstream: ReturnType<typeof Bun.serve>
let usage: Record<string, unknown> = {}
let tier: string | undefined

beforeAll(async () => {
  upstream = Bun.serve({
    port: 0,
    fetch: () =>
      Response.json({
        ...{ object: 'chat.completion', id: 'x', model: 'm', service_tier: tier, usage },
        choices: [
          { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hi' } },
        ],
      }),
  })
  const base_url = `http://127.0.0.1:${upstream.port}/v1`
  const host = { base_url, model_list: false, api_key: 'none', private_addresses: true }
  harness = await startHarness({
    sim: { model_list: false },
    models: { 'sim/*': PRICED, 'own/special': { price: { input: 1, output: 2, search: 0.01 } } },
    providers: {
      own: { ...host, type: 'openai' },
      openai: { ...host, aliases: { mine: 'gpt-4o-mini' } },
    },
  })
})
afterAll(async () => {
  await harness.stop()
  await upstream.stop(true)
})

async function costOf(model: string) {
  const answer = await harness.chat({ model })
  expect(answer.status).toBe(200)
  const { costNanoUsd, costProvenance, costDetail } = await harness.rowOf(answer)
  return { costNanoUsd, costProvenance, costDetail, header: answer.headers.get('x-tg-cost-usd') }
}

describe('an answer', () => {
  test('is priced by the configuration, to the nano-dollar, in header and log', async () => {
    usage = {
      ...{ prompt_tokens: 1_001, completion_tokens: 7, total_tokens: 1_008 },
      prompt_tokens_details: { cached_tokens: 1 },
    }
    const answer = await harness.chat({ model: 'sim/sim-1;tokens=7' })
    await answer.text()
    const row = await harness.rowOf(answer)
    const expected = (row.inputTokens ?? 0) * 150 + 7 * 600
    expect(row).toMatchObject({ costNanoUsd: expected, costProvenance: 'computed' })
    expect(Number(answer.headers.get('x-tg-cost-usd'))).toBe(expected / 1e9)
    expect(row.costDetail?.[0]).toBe('configuration')
  })

  test('is priced by the list where the provider is known, and by the name behind an alias', async () => {
    usage = {
      ...{ prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 },
      prompt_tokens_details: { cached_tokens: 400 },
    }
    // gpt-4o-mini: 0.15, 0.075 cached, 0.60 USD a million: https://platform.openai.com/docs/pricing
    const nano = 600 * 150 + 400 * 75 + 100 * 600
    for (const model of ['openai/gpt-4o-mini', 'openai/mine', 'mine']) {
      const cost = await costOf(model)
      expect(cost).toMatchObject({
        costNanoUsd: nano,
        costProvenance: 'computed',
        header: '0.00018',
      })
      expect(cost.costDetail?.[0]).toStartWith('litellm-')
    }
  })

  test('of a host that no list knows has no cost, rather than none', async () => {
    usage = { prompt_tokens: 10, completion_tokens: 5 }
    expect(await costOf('own/gpt-4o-mini')).toMatchObject({
      costNanoUsd: null,
      costProvenance: 'unknown',
      header: null,
    })
  })

  test('costs what its provider says it does', async () => {
    usage = { prompt_tokens: 10, completion_tokens: 5, cost: 0.00014 }
    expect(await costOf('own/special')).toMatchObject({
      costNanoUsd: 140_000,
      costProvenance: 'reported',
      header: '0.00014',
    })
  })

  test('without usage is estimated, and says so', async () => {
    usage = {}
    expect(await costOf('own/special')).toMatchObject({
      // Six tokens and the turn's four at 1, one at 2 USD a million.
      costNanoUsd: 12_000,
      costProvenance: 'estimated',
    })
  })

  test('in a tier that no price is known of has no cost', async () => {
    usage = { prompt_tokens: 10, completion_tokens: 5 }
    tier = 'flex'
    expect(await costOf('own/special')).toMatchObject({ costProvenance: 'unknown' })
    tier = 'default'
    expect(await costOf('own/special')).toMatchObject({ costNanoUsd: 20_000 })
    tier = undefined
  })

  test('that is refused costs nothing that is known', async () => {
    const answer = await harness.chat({ model: 'sim/fault-error-429' })
    expect(answer.status).toBe(429)
    expect(await harness.rowOf(answer)).toMatchObject({ costNanoUsd: null, costProvenance: null })
  })
})

test('a stream is priced when it has ended, and when its client has left', async () => {
  const answer = await harness.chat({ model: 'sim/sim-1;tokens=9', stream: true })
  await answer.text()
  const row = await harness.rowOf(answer)
  expect(row.costNanoUsd).toBe((row.inputTokens ?? 0) * 150 + 9 * 600)
  const leaving = new AbortController()
  const left = await harness.chat(
    { model: 'sim/sim-1;tokens=500;tps=200', stream: true },
    { signal: leaving.signal }
  )
  await left.body?.getReader().read()
  leaving.abort()
  const gone = await harness.rowOf(left)
  expect(gone).toMatchObject({ outcome: 'cancelled', costProvenance: 'estimated' })
  expect(gone.costNanoUsd).toBeGreaterThan(0)
})

test('a newer list of models counts after a reload, and a bad one is refused', async () => {
  usage = { prompt_tokens: 1_000, completion_tokens: 0 }
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-list-'))
  const list = join(folder, 'newer.json')
  const entry = { litellm_provider: 'openai', mode: 'chat', input_cost_per_token: 9e-6 }
  writeFileSync(list, JSON.stringify({ 'gpt-4o-mini': { ...entry, output_cost_per_token: 1e-6 } }))
  const base_url = `http://127.0.0.1:${upstream.port}/v1`
  const openai = { base_url, model_list: false, api_key: 'none', private_addresses: true }
  const options = { sim: { model_list: false }, providers: { openai } }
  await harness.reload({ ...options, model_list: list })
  const cost = await costOf('openai/gpt-4o-mini')
  expect(cost.costNanoUsd).toBe(9_000_000)
  expect(cost.costDetail?.[0]).toStartWith('newer.json@')
  writeFileSync(list, '{"gpt-4o-mini": {}}')
  await expect(harness.reload({ ...options, model_list: list })).rejects.toThrow('model_list')
  expect((await costOf('openai/gpt-4o-mini')).costNanoUsd).toBe(9_000_000)
  rmSync(folder, { recursive: true })
})
