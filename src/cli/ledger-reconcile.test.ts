import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { DataDirectory } from '../db/data-directory'
import {
  addToLedger,
  costOf,
  readLedger,
  runLedger,
  type ToldRequest,
  usageOf,
  writeLedger,
} from './fixtures/ledger-commands'

/** A request that `provider/model` served on a day of March 2026. */
function served(
  day: string,
  model: string,
  [input, output]: readonly [number, number],
  costNanoUsd: number,
  upstreamRequestId?: string
): ToldRequest {
  const [provider = ''] = model.split('/')
  return {
    begin: { admittedAtMs: Date.parse(`2026-03-${day}T23:59:59Z`) },
    attempt: { provider, model: model.slice(provider.length + 1), upstreamRequestId },
    end: {
      ...{ provider, servedModel: model, usage: usageOf(input, output) },
      cost: costOf(costNanoUsd),
    },
  }
}

async function exported(directory: DataDirectory, ...lines: string[]): Promise<string> {
  const path = join(directory.path, 'export.csv')
  await Bun.write(path, `\uFEFF${lines.join('\r\n')}\r\n`)
  return path
}

async function reconcile(directory: DataDirectory, lines: string[], ...args: string[]) {
  const path = await exported(directory, ...lines)
  const run = await runLedger(directory, 'reconcile', path, ...args, '--json')
  const said: unknown = run.lines[0] === undefined ? undefined : JSON.parse(run.lines[0])
  return { ...run, said }
}

const DAY_1 = Date.parse('2026-03-01') / 1_000
const OPENAI = ['--provider', 'openai']
const OPENAI_USAGE =
  'start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,service_tier,input_tokens,output_tokens,input_cached_tokens'

const openaiUsage = (startTime: number, model: string, numbers: [number, number, number]) =>
  `${startTime},${startTime + 60},,,proj_a,${numbers[0]},,key_a,${model},false,default,${numbers[1]},${numbers[2]},0`

describe('an export of OpenAI', () => {
  const ledger = () =>
    writeLedger([
      served('01', 'openai/gpt-4o-mini', [10, 5], 1_000),
      served('01', 'openai/gpt-4o-mini', [20, 5], 1_000),
      served('02', 'openai/gpt-4o-2024-08-06', [7, 1], 500),
      served('02', 'other/gpt-4o-mini', [99, 9], 900),
      // Nothing came of it, and nobody bills it.
      { ...served('02', 'openai/gpt-4o-mini', [0, 0], 0), end: { cost: undefined } },
    ]).directory

  test('of usage agrees, snapshots and minutes summed up', async () => {
    const { code, said } = await reconcile(
      ledger(),
      [
        OPENAI_USAGE,
        openaiUsage(DAY_1 + 60, 'gpt-4o-mini-2024-07-18', [1, 10, 5]),
        openaiUsage(DAY_1 + 86_340, 'gpt-4o-mini-2024-07-18', [1, 20, 5]),
        openaiUsage(DAY_1 + 86_400, 'gpt-4o-2024-08-06', [1, 7, 1]),
      ],
      ...OPENAI
    )
    expect(said).toMatchObject({
      ...{ agrees: true, format: 'openai-usage', only_ours: { days: [], models: [] } },
      rows: [
        { day: '2026-03-01', model: 'gpt-4o-mini', ours: { requests: 2, input_tokens: 30 } },
        { day: '2026-03-02', model: 'gpt-4o-2024-08-06', theirs: { cost_nano_usd: null } },
      ],
      totals: { difference: { requests: 0, output_tokens: 0, cost_nano_usd: null } },
    })
    expect(code).toBe(0)
  })

  test('of usage differs by day and model, and names what one side alone has', async () => {
    const lines = [
      OPENAI_USAGE,
      openaiUsage(DAY_1, 'gpt-4o-mini-2024-07-18', [3, 31, 10]),
      openaiUsage(DAY_1 + 3 * 86_400, 'gpt-5', [1, 1, 1]),
    ]
    const directory = ledger()
    const { code, said, errors } = await reconcile(directory, lines, ...OPENAI)
    expect(code).toBe(1)
    expect(errors.join()).toContain('do not agree')
    expect(said).toMatchObject({
      agrees: false,
      rows: [
        { model: 'gpt-4o-mini', difference: { requests: -1, input_tokens: -1, output_tokens: 0 } },
        { model: 'gpt-4o-2024-08-06', differs: true, theirs: { requests: null } },
        { day: '2026-03-04', model: 'gpt-5', differs: true },
      ],
      only_ours: { days: ['2026-03-02'], models: ['gpt-4o-2024-08-06'] },
      only_theirs: { days: ['2026-03-04'], models: ['gpt-5'] },
    })
    const path = await exported(directory, ...lines)
    const csv = await runLedger(directory, 'reconcile', path, ...OPENAI, '--csv')
    expect(csv.lines[1]).toBe('2026-03-01,gpt-4o-mini,yes,2,3,-1,30,31,-1,10,10,0,0.000002,,')
    const table = await runLedger(directory, 'reconcile', path, ...OPENAI)
    expect(table.lines).toContain('Models only in the export: gpt-5')
  })

  test('of costs sums the line items of a model, within a tolerance', async () => {
    const lines = [
      'start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id',
      `${DAY_1},${DAY_1 + 86_400},,,0.000001500000000000000,usd,"gpt-4o-mini-2024-07-18, input",p`,
      `${DAY_1},${DAY_1 + 86_400},,,0.00000049,usd,"gpt-4o-mini-2024-07-18, output",p`,
      `${DAY_1 + 86_400},${DAY_1 + 172_800},,,,,,`,
    ]
    const directory = ledger()
    const day = ['--to', '2026-03-01']
    const exact = await reconcile(directory, lines, ...OPENAI, ...day)
    expect(exact.said).toMatchObject({
      rows: [{ differs: true, difference: { cost_nano_usd: 10, requests: null } }],
    })
    expect((await reconcile(directory, lines, ...OPENAI, ...day, '--tolerance', '1')).code).toBe(0)
    const usd = ['--tolerance-usd', '0.00000001']
    expect((await reconcile(directory, lines, ...OPENAI, ...day, ...usd)).code).toBe(0)
    // The row without an amount is of a day on which the ledger has something.
    expect((await reconcile(directory, lines, ...OPENAI, ...usd)).code).toBe(1)
    const euros = lines.map((line) => line.replace('usd', 'eur'))
    const refused = await reconcile(directory, euros, ...OPENAI)
    expect(refused.errors.join()).toContain('row 2: eur is not USD')
  })
})

describe('an export of Anthropic', () => {
  const ledger = () =>
    writeLedger([served('01', 'anthropic/claude-haiku-4-5-20251001', [100, 5], 130_000_000)])
      .directory

  test('of usage sums the kinds of input', async () => {
    const { said, code } = await reconcile(
      ledger(),
      [
        'usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count',
        '2026-03-01,claude-haiku-4-5-20251001,app,Default,standard,≤ 200k,50,20,10,20,5,0',
      ],
      ...['--provider', 'anthropic']
    )
    expect(said).toMatchObject({ format: 'anthropic-usage', rows: [{ differs: false }] })
    expect(code).toBe(0)
  })

  test('of costs names models as people do', async () => {
    const { said, code } = await reconcile(
      ledger(),
      [
        'usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd',
        '2026-03-01,Claude Haiku 4.5,Default,app,message,≤ 200k,input_no_cache,0.05',
        '2026-03-01,Claude Haiku 4.5,Default,app,message,≤ 200k,output,0.08',
      ],
      ...['--provider', 'anthropic']
    )
    expect(said).toMatchObject({ format: 'anthropic-cost', rows: [{ model: 'claude-haiku-4-5' }] })
    expect(code).toBe(0)
  })
})

describe('an export that has each request', () => {
  const HEADER =
    'generation_id,created_at,cost_total,tokens_prompt,tokens_completion,model_permaslug,variant'
  const OPENROUTER = ['--provider', 'openrouter']

  test('corrects those that differ, once, and then agrees', async () => {
    const { directory, ids } = writeLedger([
      served('01', 'openrouter/openai/gpt-5', [10, 5], 1_000, 'gen-1'),
      served('01', 'openrouter/openai/gpt-5', [10, 5], 1_000, 'gen-2'),
      served('01', 'other/openai/gpt-5', [10, 5], 1_000, 'gen-2'),
      // Their attempt came to nothing, and another answered.
      {
        ...served('01', 'other/openai/gpt-5', [10, 5], 1_000),
        attempt: { provider: 'openrouter', model: 'openai/gpt-5', upstreamRequestId: 'gen-1' },
      },
    ])
    const lines = [
      HEADER,
      'gen-1,2026-03-01 03:46:57.713,0.000001,10,5,openai/gpt-5,standard',
      'gen-2,2026-03-01 03:46:58.713,0.000003,12,5,openai/gpt-5,standard',
    ]
    const before = await reconcile(directory, lines, ...OPENROUTER)
    expect(before.code).toBe(1)
    expect(before.said).toMatchObject({
      ...{ corrected: 0, request_ids: { ids: 2, known: 2 } },
      requests: [{ request: ids[1], theirs: { cost_nano_usd: 3_000, input_tokens: 12 } }],
    })
    const corrected = await reconcile(directory, lines, ...OPENROUTER, '--correct')
    expect(corrected.said).toMatchObject({ agrees: true, corrected: 1 })
    expect(corrected.code).toBe(0)
    const again = await reconcile(directory, lines, ...OPENROUTER, '--correct')
    expect(again.said).toMatchObject({ agrees: true, corrected: 0, requests: [] })
    expect(await readLedger(directory, 'entries', '--where', 'kind=correction')).toMatchObject([
      { request: ids[1], cost_nano_usd: 2_000, input_tokens: 2, provenance: 'reconciled' },
    ])
    addToLedger(directory, [served('01', 'openrouter/openai/gpt-5', [1, 1], 1)])
    expect((await reconcile(directory, lines, ...OPENROUTER)).said).toMatchObject({
      rows: [{ difference: { requests: 1, cost_nano_usd: 1 } }],
    })
  })

  test('is read by the names of its columns', async () => {
    const { directory } = writeLedger([
      served('01', 'sim/m', [10, 5], 1_000, 'a'),
      served('02', 'sim/m', [10, 5], 1_000, 'b'),
    ])
    const lines = [
      'Day,The model,In,"Cost, all"',
      '2026-03-01T23:30:00-02:00,m,10,"0.000001"',
      '2026-03-01,m,10,$0.000001',
    ]
    const columns = ['--provider', 'sim', '--columns', 'date=Day,model=The model,input=In']
    const { code, said } = await reconcile(directory, lines, ...columns)
    expect(said).toMatchObject({ agrees: true, totals: { difference: { output_tokens: null } } })
    expect(code).toBe(0)
    expect((await reconcile(directory, lines, ...columns, '--correct')).code).toBe(2)
  })
})

test.each([
  ['no export that is known', ['a,b', '1,2'], 'these columns are of no export'],
  ['an empty file', [], 'is empty'],
  ['no rows', [OPENAI_USAGE], 'has no rows'],
  [
    'a figure that is none',
    [OPENAI_USAGE, openaiUsage(DAY_1, 'gpt-5', [1, Number.NaN, 1])],
    'row 2: "NaN" is no count',
  ],
  [
    'a date that is none',
    [OPENAI_USAGE, openaiUsage(Number.NaN, 'gpt-5', [1, 1, 1])],
    'row 2: "NaN" is no date',
  ],
  ['a row without an end', [OPENAI_USAGE, `1,"${'x'.repeat(300_000)}`], 'row 1'],
])('refuses %s', async (_, lines, message) => {
  const { directory } = writeLedger([])
  const { code, errors } = await reconcile(directory, lines, ...OPENAI)
  expect(errors.join('\n')).toContain(message)
  expect(code).toBe(1)
})
