import { describe, expect, test } from 'bun:test'
import { Command } from 'commander'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { CommandError, EXIT } from './command-line'
import { addModelsCommands } from './models'

const LIST = {
  'gpt-4o-mini': {
    ...{ litellm_provider: 'openai', mode: 'chat', max_input_tokens: 1000, supports_vision: true },
    ...{ input_cost_per_token: 2e-7, output_cost_per_token: 6e-7 },
    input_cost_per_token_flex: 1e-7,
    input_cost_per_token_above_272k_tokens: 5e-7,
    search_context_cost_per_query: { search_context_size_medium: 0.025 },
  },
  'text-embedding-9': { litellm_provider: 'openai', mode: 'embedding', input_cost_per_token: 2e-8 },
  'groq/nobody-has-it': { litellm_provider: 'groq', mode: 'chat' },
}

/** A directory with a list in LiteLLM's format and a configuration that names it. */
function prepare(configuration = CONFIGURATION) {
  const directory = mkdtempSync(join(tmpdir(), 'tollgate-models-'))
  const list = join(directory, 'list.json')
  writeFileSync(list, JSON.stringify(LIST))
  const config = join(directory, 'tollgate.yaml')
  writeFileSync(config, configuration)
  return { list, config }
}

const CONFIGURATION = `
model_list: list.json
providers:
  main: { type: openai, api_key: "\${A_KEY_THAT_IS_NOT_SET}" }
  local: { type: openai, base_url: "http://127.0.0.1:9001/v1", api_key: none }
models:
  local/gpt-4o-mini: { price: { input: 0.15, output: 0.60, cache_write_1h: 0.3 } }
  main/text-*: { context: 512 }
`

/** Runs one command in this process and gives its lines. */
async function models(...args: string[]): Promise<string[]> {
  const lines: string[] = []
  const program = new Command('tollgate').exitOverride().configureOutput({ writeErr: () => {} })
  addModelsCommands(program, { out: (line) => void lines.push(line), error: () => {} })
  await program.parseAsync(['models', ...args], { from: 'user' })
  return lines
}

async function json(...args: string[]): Promise<unknown> {
  return JSON.parse((await models(...args, '--json')).join('\n'))
}

const namesOf = (views: unknown) =>
  z
    .array(z.object({ name: z.string() }))
    .parse(views)
    .map(({ name }) => name)

async function failureOf(...args: string[]): Promise<{ exitCode: number; message: string }> {
  try {
    await models(...args)
  } catch (error) {
    if (error instanceof CommandError) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('list', () => {
  test('has the bundled models, by provider, kind and text', async () => {
    const names = namesOf(
      await json('list', '--provider', 'openai', '--kind', 'embedding', '--search', 'EMBEDDING-3')
    )
    expect(names).toEqual(['openai/text-embedding-3-large', 'openai/text-embedding-3-small'])
  })

  test("has the configuration's providers, its list and its own models", async () => {
    const { config } = prepare()
    expect(namesOf(await json('list', '--config', config))).toEqual([
      'local/gpt-4o-mini',
      'main/gpt-4o-mini',
      'main/text-embedding-9',
    ])
  })

  test('shows people prices in columns, and what is unknown as ?', async () => {
    const { config } = prepare()
    expect(await models('list', '--config', config)).toEqual([
      'MODEL                  KIND       CONTEXT  MAX OUTPUT  INPUT  OUTPUT',
      'local/gpt-4o-mini      chat             ?           ?   0.15     0.6',
      'main/gpt-4o-mini       chat          1000           ?    0.2     0.6',
      'main/text-embedding-9  embedding      512           ?   0.02       ?',
    ])
  })

  test('without a match is no failure', async () => {
    expect(await models('list', '--search', 'there is no such model')).toHaveLength(1)
    expect(await json('list', '--search', 'there is no such model')).toEqual([])
  })
})

describe('show', () => {
  test('has all that is known, in USD', async () => {
    const { config } = prepare()
    expect(await json('show', 'main/gpt-4o-mini', '--config', config)).toEqual({
      ...{ name: 'main/gpt-4o-mini', kind: 'chat', context_tokens: 1000, max_output_tokens: null },
      abilities: ['vision'],
      price: {
        rates: { input: 0.2, output: 0.6 },
        steps: [{ above_input_tokens: 272_000, rates: { input: 0.5 } }],
        tiers: { flex: { rates: { input: 0.1 } } },
        units: { search: 0.025 },
      },
      origin: expect.stringMatching(/^list\.json@[0-9a-f]{12}$/),
    })
    expect((await models('show', 'main/gpt-4o-mini', '--config', config)).slice(6)).toEqual([
      '',
      'price, USD a million tokens',
      '  input                0.2',
      '  output               0.6',
      '  above 272000 input tokens',
      '    input                0.5',
      '  in the tier flex',
      '    input                0.1',
      'price, USD each',
      '  search               0.025',
    ])
  })

  test("has the configuration's price of a model of its own", async () => {
    const { config } = prepare()
    expect(await json('show', 'local/gpt-4o-mini', '--config', config)).toMatchObject({
      price: { rates: { input: 0.15, output: 0.6, cache_write_1h: 0.3 } },
      origin: 'configuration',
    })
  })

  test('of a model without a price says that it is unknown', async () => {
    expect((await models('show', 'ollama/llama3')).at(-1)).toBe('price          unknown')
    expect(await json('show', 'ollama/llama3')).toMatchObject({ price: null })
  })

  test('of a host that the list has not says what its name tells', async () => {
    expect(await json('show', 'openrouter/openai/gpt-oss-20b:free')).toMatchObject({
      price: { rates: { input: 0, output: 0 } },
      context_tokens: null,
    })
  })

  test('of nothing that is known fails, with what was meant', async () => {
    expect(await failureOf('show', 'openai/gpt4o-mini')).toMatchObject({
      exitCode: EXIT.notFound,
      message: 'nothing is known of openai/gpt4o-mini; did you mean openai/gpt-4o-mini?',
    })
    expect(await failureOf('show', 'gpt-4o-mini')).toMatchObject({ exitCode: EXIT.usage })
  })
})

describe('diff', () => {
  test('has what a list would change against the bundled one', async () => {
    const { list } = prepare()
    const changeSchema = z.object({ name: z.string(), changes: z.array(z.unknown()) })
    const { added, removed, changed } = z
      .object({
        added: z.array(z.string()),
        removed: z.array(z.string()),
        changed: z.array(changeSchema),
      })
      .parse(await json('diff', list))
    expect(added).toEqual(['groq/nobody-has-it', 'openai/text-embedding-9'])
    expect(removed).toContain('openai/gpt-4o')
    expect(changed.map(({ name }) => name)).toEqual(['openai/gpt-4o-mini'])
    expect(changed[0]?.changes).toContainEqual({
      ...{ kind: 'input', tier: null, above_input_tokens: null, unit: 'million tokens' },
      ...{ before: 0.15, after: 0.2 },
    })
  })

  test('is a line for each change, and their number', async () => {
    const { list } = prepare()
    const lines = await models('diff', list)
    expect(lines).toContain('+ openai/text-embedding-9')
    expect(lines).toContain('- openai/gpt-4o')
    expect(lines).toContain('    input: 0.15 -> 0.2 USD a million tokens')
    expect(lines).toContain('    flex input: ? -> 0.1 USD a million tokens')
    expect(lines).toContain('    input above 272000 input tokens: ? -> 0.5 USD a million tokens')
    expect(lines.at(-1)).toMatch(/^2 added, \d+ removed, 1 with another price$/)
  })
})

test.each<[string, string, string, number]>([
  ['a price with too many decimals', 'models: { a/b: { price: { input: 0.1234567 } } }', '', 3],
  ['a text that is no YAML', 'models: [', '', 3],
  ['a list that is not there', 'model_list: nowhere.json', "can't be read", 6],
  ['a list that is none', 'model_list: tollgate.yaml', 'tollgate.yaml: it is no JSON', 3],
])('%s ends the command', async (_, configuration, message, exitCode) => {
  const { config } = prepare(configuration)
  const failure = await failureOf('list', '--config', config)
  expect(failure.exitCode).toBe(exitCode)
  expect(failure.message).toContain(config.replace('tollgate.yaml', ''))
  expect(failure.message).toContain(message)
})
