import type { Command } from 'commander'
import type { Configuration, CredentialConfiguration } from '../config/configuration'
import { CommandError, EXIT, type CommandOutput } from './command-line'
import type { Finish } from './finish'
import { jsonOption } from './options'

type CheckFlags = { schema?: boolean; json?: boolean }

/** `tollgate check FILE`: what `serve` would say about a configuration, without serving it. */
export function addCheckCommand(program: Command, output: CommandOutput, finish: Finish): void {
  program
    .command('check')
    .argument('[file]', 'a configuration, YAML or JSON')
    .description('check a configuration, or print its JSON Schema')
    .option('--schema', 'print the JSON Schema of configurations')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (file: string | undefined, { schema, json = false }: CheckFlags) => {
      if (schema) return printSchema(output)
      if (file === undefined) throw new CommandError(EXIT.usage, 'check needs a file, or --schema')
      await check(file, json, output, finish)
    })
}

/** JSON with and without `--json`: there is no other form of it. */
async function printSchema(output: CommandOutput): Promise<void> {
  const { configurationJsonSchema } = await import('../config/schema')
  output.out(JSON.stringify(configurationJsonSchema(), undefined, 2))
}

async function check(
  file: string,
  json: boolean,
  output: CommandOutput,
  finish: Finish
): Promise<void> {
  const [{ loadConfiguration }, { renderProblems }, { CATALOG }, { checkModelList }] =
    await Promise.all([
      import('../config/load-configuration'),
      import('../config/problem'),
      import('../providers/catalog'),
      import('./check-model-list'),
    ])
  const options = { file, env: process.env, overrides: {}, rows: CATALOG, checkModelList }
  const loaded = await loadConfiguration(options)
  if (!loaded.ok) {
    finish(EXIT.configuration)
    if (json) output.out(JSON.stringify({ ok: false, problems: loaded.problems }))
    else output.error(renderProblems(loaded.problems).trimEnd())
    return
  }
  const summary = summarize(loaded.configuration)
  if (json) output.out(JSON.stringify({ ok: true, source: loaded.source, ...summary }))
  else output.out(describe(loaded.source, summary))
}

/** The choices that matter most; nothing of it is secret. Names as in the file. */
function summarize({ server, keys, providers }: Configuration) {
  const scheme = server.tls ? 'https' : 'http'
  const host = server.host.includes(':') ? `[${server.host}]` : server.host
  return {
    address: `${scheme}://${host}:${server.port}`,
    keys_required: keys.required,
    providers: providers.map(({ name, baseUrl, models, apiKey, credentials }) => ({
      name,
      base_url: baseUrl,
      has_api_key: apiKey !== undefined,
      credentials: credentials.map(summarizeCredential),
      models: models.length,
    })),
  }
}

function summarizeCredential({ name, weight, models, provider }: CredentialConfiguration) {
  const { baseUrl, identity } = provider
  return { name, kind: identity?.kind ?? 'api_key', base_url: baseUrl, weight, models }
}

type ProviderSummary = ReturnType<typeof summarize>['providers'][number]

/** A line for the provider, and one for each of several credentials. */
function describeProvider(provider: ProviderSummary): string[] {
  const { name, base_url: baseUrl, has_api_key: hasKey, credentials } = provider
  if (credentials.length === 0) return [`  ${name}: ${baseUrl}${hasKey ? '' : ', without a key'}`]
  const lines = credentials.map(({ name: own, kind, base_url: ownUrl, weight, models }) =>
    [
      `    ${own}: ${kind}`,
      ...(ownUrl === baseUrl ? [] : [`at ${ownUrl}`]),
      `weight ${weight}`,
      ...(models.length === 0 ? [] : [`for ${models.join(' ')}`]),
    ].join(', ')
  )
  return [`  ${name}: ${baseUrl}, ${credentials.length} credentials`, ...lines]
}

function describe(source: string, summary: ReturnType<typeof summarize>): string {
  const { address, keys_required: keysRequired, providers } = summary
  const lines = providers.flatMap(describeProvider)
  return [
    `${source} is right.`,
    `Listens on ${address}; virtual keys are ${keysRequired ? 'required' : 'not required'}.`,
    'Providers:',
    ...lines,
  ].join('\n')
}

const EXAMPLES = `
Secrets are looked up as at the start, so that a missing one is found too.

Examples:
  tollgate check tollgate.yaml
  tollgate check --schema > tollgate.schema.json`
