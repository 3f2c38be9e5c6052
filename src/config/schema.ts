import { z } from 'zod'
import { alertsSection, NO_ALERTS } from './alerts-fields'
import {
  NAME_PATTERN,
  byteSize,
  choice,
  duration,
  fields,
  section,
  text,
  trueOrFalse,
  wholeNumber,
} from './fields'
import { budgetsSection, limitsSection } from './limits-fields'
import { modelListField, modelsSection } from './models-fields'
import { providerSchema } from './provider-fields'
import { routesSection } from './routes-fields'

// The one truth about what a configuration may say: types, defaults, limits and documentation.
// Limits keep every duration within what a timer takes, and every buffer within memory.

const tls = fields({
  cert: text('the path of a PEM file').describe('PEM file with the certificate and its chain.'),
  key: text('the path of a PEM file').describe('PEM file with the private key, unencrypted.'),
})

const drain = fields({
  readiness_delay: duration(
    '0s',
    { from: '0s', to: '10m' },
    'How long /health/ready says no before listening stops, so that balancers notice.'
  ),
  limit: duration(
    '30s',
    { from: '0s', to: '1h' },
    'How long requests in flight may take to finish once the gateway stops.'
  ),
})

const server = fields({
  host: text('a host name or address')
    .regex(/^[A-Za-z0-9._:%-]+$/, 'a host name or address')
    .prefault('127.0.0.1')
    .describe('Address to listen on. One that others can reach needs keys.required and TLS.'),
  port: wholeNumber(8080, { from: 0, to: 65535 }, 'Port to listen on; 0 picks a free one.'),
  tls: tls.optional().describe('Serve HTTPS with this certificate; paths relative to this file.'),
  behind_proxy: trueOrFalse()
    .default(false)
    .describe('A proxy in front terminates TLS, so clear text is right here.'),
  max_body: byteSize(
    '32MB',
    { from: '1KB', to: '1GB' },
    'Largest body of one request; beyond it the answer is 413.'
  ),
  max_bodies: byteSize(
    '512MB',
    { from: '1KB', to: '64GB' },
    'Request bodies held at once, in total; beyond it the answer is 503.'
  ),
  max_upload: byteSize(
    '512MB',
    { from: '1KB', to: '1TB' },
    'Largest form of one request, files included; beyond it the answer is 413.'
  ),
  max_in_flight: wholeNumber(
    8192,
    { from: 1, to: 1_000_000 },
    'Requests in flight at once; beyond it the answer is 503.'
  ),
  head_hold: duration(
    '15s',
    { from: '0s', to: '10m' },
    "How long a stream's response head waits for the first meaningful frame."
  ),
  heartbeat: duration(
    '15s',
    { from: '1s', to: '10m' },
    'How often a silent stream gets a comment line once its head has left.'
  ),
  client_stall: duration(
    '60s',
    { from: '1s', to: '1h' },
    'A client that reads nothing for so long is cut off.'
  ),
  fetch_images: trueOrFalse()
    .default(true)
    .describe('Fetch pictures that a request names by their address, for providers that can not.'),
  warm_connections: trueOrFalse()
    .default(true)
    .describe('Connect to the TLS providers at the start and after a reload, not with a request.'),
  drain: drain.prefault({}).describe('How the gateway stops.'),
})

const log = fields({
  bodies: choice(['off', 'full'], 'off', 'Whether request and answer bodies are kept.'),
  max_body: byteSize('64KB', { from: '1KB', to: '32MB' }, 'How much of each body is kept.'),
  retention: fields({
    age: duration('30d', { from: '1m', to: '520w' }, 'Rows older than this are deleted.'),
    size: byteSize(
      '10GB',
      { from: '10MB', to: '100TB' },
      'The oldest rows are deleted while the log is larger than this.'
    ),
  })
    .prefault({})
    .describe('How long the log keeps its rows.'),
  refused_rows_per_second: wholeNumber(
    50,
    { from: 0, to: 100_000 },
    'Refused requests logged one by one; those beyond are counted together.'
  ),
  when_disk_full: choice(
    ['refuse', 'serve'],
    'refuse',
    'Refuse requests that cannot be logged, or serve them unlogged and count them.'
  ),
})

const providers = z.record(z.string().regex(NAME_PATTERN), providerSchema, {
  error: (issue) =>
    issue.code === 'invalid_key'
      ? 'a name of lower-case letters, digits, - and _, starting with a letter or digit'
      : 'a mapping of provider names to their settings',
})

const failover = fields({
  retries: wholeNumber(
    0,
    { from: 0, to: 10 },
    'How often one target is asked again after a failure of its own, with back-off.'
  ),
  capability: trueOrFalse()
    .default(true)
    .describe('Take a request to the next target that one could not serve for what it needs.'),
  context_length: trueOrFalse()
    .default(true)
    .describe('Take a request to the next target that was too long for one.'),
  content_policy: trueOrFalse()
    .default(false)
    .describe('Take a request to the next target that one refused for its content.'),
  equivalents: trueOrFalse()
    .default(false)
    .describe(
      'Behind a model without a route, models of other providers that a table holds to be its equals.'
    ),
})

const responses = fields({
  keep: duration(
    '30d',
    { from: '1m', to: '520w' },
    'How long a response is kept, encrypted, whose provider keeps none.'
  ),
})

const batches = fields({
  poll: duration(
    '1m',
    { from: '1s', to: '1d' },
    'How often providers are asked whether batches, and responses in the background, are done whose cost is still held.'
  ),
})

export const configurationSchema = fields({
  server: server.prefault({}).describe('How the gateway listens, and its limits.'),
  keys: fields({
    required: trueOrFalse().default(false).describe('Refuse requests without a virtual key.'),
  })
    .prefault({})
    .describe('Virtual keys.'),
  log: log.prefault({}).describe('The request log.'),
  failover: failover.prefault({}).describe('When another target is asked, or the same again.'),
  responses: responses.prefault({}).describe('Stored responses.'),
  batches: batches.prefault({}).describe('Batches.'),
  models: section(modelsSection, {}).describe(
    'What models cost, take and can do, where no list says it or one is overruled.'
  ),
  model_list: modelListField(),
  routes: section(routesSection, {}).describe(
    'Names that clients use as models, and the targets behind each.'
  ),
  budgets: section(budgetsSection, []).describe('Limits in USD, for any subject.'),
  limits: section(limitsSection, []).describe('Rate limits, for any subject.'),
  alerts: section(alertsSection, NO_ALERTS).describe(
    'Who is told when a budget reaches a threshold or its end.'
  ),
  providers: providers
    .optional()
    .describe('Who answers. Left out: every catalog provider whose variable is set.'),
})

/** What a file says, defaults filled in; durations are milliseconds and sizes bytes. */
export type ConfigurationFile = z.output<typeof configurationSchema>

/** The configuration's JSON Schema, for editors and other tools. */
export function configurationJsonSchema() {
  return {
    title: 'Tollgate configuration',
    ...z.toJSONSchema(configurationSchema, { io: 'input' }),
  }
}
