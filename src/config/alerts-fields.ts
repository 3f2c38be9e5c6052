import { z } from 'zod'
import { ALERT_TYPES } from './alerts'
import {
  NAME_PATTERN,
  duration,
  extraHeaders,
  fields,
  reference,
  text,
  trueOrFalse,
} from './fields'

/** Set by the gateway: https://www.standardwebhooks.com. */
const OWN_HEADERS = /^webhook-/i

/** Parts of a budget at which somebody is told: `[0.8, 1]`. */
export function thresholds() {
  return z.array(z.number({ error: 'parts of it' }).gt(0, 'above 0').max(10, 'at most 10'), {
    error: 'a list of parts, such as [0.5, 0.8, 1]',
  })
}

/** `alerts:`, who is told what becomes of budgets. */
export function alertsSection() {
  const secret = z
    .union([reference(), z.array(reference()).min(1).max(4)], {
      error: '${ENV_NAME} or ${file:PATH}, or a list of up to four of them',
    })
    .describe('whsec_ and 24 to 64 bytes in base64, by reference; of a list each one signs.')
  const headers = extraHeaders(['authorization'])
    .refine((given) => !Object.keys(given).some((name) => OWN_HEADERS.test(name)), {
      error: 'header names that do not begin with webhook-',
    })
    .prefault({})
    .describe('Extra headers; values may hold references.')
  const webhook = fields({
    url: text('an http:// or https:// address').describe(
      'Where alerts are posted to; may hold references.'
    ),
    secret,
    events: z
      .array(z.enum(ALERT_TYPES, { error: ALERT_TYPES.join(', ') }), { error: 'a list of events' })
      .min(1, 'one event at least')
      .prefault([...ALERT_TYPES])
      .describe('What it is told of.'),
    subjects: z
      .array(text('a glob of subjects'), { error: 'a list of globs of subjects' })
      .min(1, 'one glob at least')
      .prefault(['*'])
      .describe('Globs of subjects that it is told of, budgets and credentials, e.g. team/*.'),
    headers,
    timeout: duration('10s', { from: '100ms', to: '1m' }, 'How long it may take to answer.'),
    private_addresses: trueOrFalse()
      .optional()
      .describe('Whether its name may resolve to a private address; yes where url names one.'),
  })
  return fields({
    thresholds: thresholds()
      .prefault([0.8, 1])
      .describe('Parts at which every budget tells that has no alert_at of its own.'),
    unsettled_after: duration(
      '3d',
      { from: '1s', to: '366d' },
      'How long a budget may hold for work behind its answer, such as a batch, before that is told.'
    ),
    webhooks: z
      .record(z.string().regex(NAME_PATTERN), webhook, {
        error: (issue) =>
          issue.code === 'invalid_key'
            ? 'a name of lower-case letters, digits, - and _, starting with a letter or digit'
            : 'a mapping of webhook names to their settings',
      })
      .prefault({})
      .describe('Who is told, by name.'),
  })
}

/** What is told where nothing is said. */
export const NO_ALERTS = { thresholds: [0.8, 1], unsettled_after: 3 * 86_400_000, webhooks: {} }

export type AlertsFields = z.output<ReturnType<typeof alertsSection>>
export type WebhookFields = AlertsFields['webhooks'][string]
