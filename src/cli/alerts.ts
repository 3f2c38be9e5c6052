import type { Command } from 'commander'
import { createSampleAlert } from '../alerts/alert'
import { webhookTerms } from '../alerts/alerter'
import { describeAnswer, isTaken, postWebhook } from '../alerts/post-webhook'
import { ALERT_TYPES, type WebhookSettings } from '../config/alerts'
import { loadConfiguration } from '../config/load-configuration'
import { renderProblems } from '../config/problem'
import { CATALOG } from '../providers/catalog'
import { createAddressGuard } from '../providers/private-addresses'
import { checkModelList } from './check-model-list'
import { CommandError, EXIT } from './command-line'
import type { CommandOutput } from './command-line'
import type { Finish } from './finish'
import { configOption, jsonOption } from './options'

type TestFlags = { config?: string; webhook?: string; json?: boolean }

/** Adds `alerts test`: whether each webhook of a configuration takes a signed event. */
export function addAlertsCommands(program: Command, output: CommandOutput, finish: Finish): void {
  program
    .command('alerts')
    .description('look after the webhooks that are told of budgets')
    .command('test')
    .description('send a sample event to each webhook, once, and say what came back')
    .addOption(configOption())
    .option('--webhook <name>', 'to this one alone')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async ({ config, webhook, json = false }: TestFlags) => {
      const webhooks = await readWebhooks(config, webhook)
      const results = await Promise.all(webhooks.map(tryWebhook))
      if (json) output.out(JSON.stringify(results))
      else
        for (const { webhook, taken, result, answer } of results) {
          output.out(`${webhook}: ${taken ? 'taken' : 'not taken'}, ${result}`)
          if (!taken && answer !== '') output.out(`  ${answer}`)
        }
      if (results.some(({ taken }) => !taken)) finish(EXIT.failed)
    })
}

async function readWebhooks(
  file: string | undefined,
  name: string | undefined
): Promise<readonly WebhookSettings[]> {
  const options = { file, env: process.env, overrides: {}, rows: CATALOG, checkModelList }
  const loaded = await loadConfiguration(options)
  if (!loaded.ok)
    throw new CommandError(EXIT.configuration, renderProblems(loaded.problems).trimEnd())
  const { webhooks } = loaded.configuration.alerts
  const wanted = webhooks.filter((webhook) => name === undefined || webhook.name === name)
  if (wanted.length > 0) return wanted
  const what = name === undefined ? 'no webhooks' : `no webhook ${name}`
  throw new CommandError(EXIT.notFound, `${loaded.source} has ${what} under alerts.webhooks`)
}

/** Names as scripts read them with `--json`. */
async function tryWebhook(webhook: WebhookSettings) {
  const sample = createSampleAlert(webhook.events[0] ?? ALERT_TYPES[0], Date.now())
  const answer = await postWebhook(
    webhook,
    { id: sample.id, body: JSON.stringify(sample) },
    createAddressGuard(Bun.dns.lookup, webhookTerms),
    new AbortController().signal
  )
  const isAnswered = answer.kind === 'answered'
  return {
    webhook: webhook.name,
    taken: isTaken(answer),
    status: isAnswered ? answer.status : null,
    result: describeAnswer(answer),
    // What others choose must not move the cursor of whoever reads it.
    answer: isAnswered ? answer.text.replace(/\p{Cc}+/gu, ' ').trim() : '',
  }
}

const EXAMPLES = `
The event is like any other but for "test": true in it. Ends with 1 when some webhook did not take it.

Example:
  tollgate alerts test --config tollgate.yaml`
