import { z } from 'zod'
import { WIRE_FORMATS } from './provider-row'
import {
  NAME_PATTERN,
  baseUrl,
  byteSize,
  choice,
  duration,
  extraHeaders,
  fields,
  secret,
  text,
  trueOrFalse,
  wholeNumber,
} from './fields'

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

const deadline = { from: '1ms', to: '24h' }

const deadlines = fields({
  connect: duration('10s', deadline, 'To a connection, where the host has not answered lately.'),
  first_byte: duration('5m', deadline, 'To the first byte of the answer, connecting included.'),
  between_frames: duration('2m', deadline, 'Between two frames of a stream.'),
  total: duration('30m', deadline, 'For the whole request.'),
})

export const providerSchema = fields({
  type: text('a catalog name or a protocol')
    .optional()
    .describe('A catalog name or a protocol; the catalog row of the same name unless said.'),
  base_url: baseUrl().optional().describe("Where its API is; the catalog's address unless said."),
  api_key: secret()
    .optional()
    .describe(
      "none, caller (the caller's own credential), ${ENV_NAME} or ${file:PATH}; the catalog's variable unless said."
    ),
  models: z
    .array(text('a model name'), { error: 'a list of model names' })
    .prefault([])
    .describe("Model names known beside the catalog's and the host's own list."),
  model_list: trueOrFalse().default(true).describe('Ask the host which models it has.'),
  proxy: text('none or an http:// or https:// address')
    .optional()
    .describe('An HTTP proxy to go through, or none; the environment decides unless said.'),
  ca: text('the path of a PEM file')
    .optional()
    .describe("PEM file with certificates to trust instead of the system's."),
  headers: extraHeaders()
    .prefault({})
    .describe('Extra headers for the host; values may hold ${ENV_NAME} and ${file:PATH}.'),
  deadlines: deadlines.prefault({}).describe('How long the host may take.'),
  private_addresses: trueOrFalse()
    .optional()
    .describe('Whether it may be at a private address; unless said, if base_url names one.'),
  retry_on_reset: trueOrFalse()
    .default(true)
    .describe('Send again, once, after a reset before the answer began; it may be billed twice.'),
  include_usage: trueOrFalse()
    .optional()
    .describe('Ask for usage in streams; unless said, if the host is known to take that.'),
  protocols: z
    .array(z.enum(WIRE_FORMATS), { error: `a list of ${WIRE_FORMATS.join(', ')}` })
    .min(1, 'at least one')
    .optional()
    .describe('The wire formats it speaks, the preferred one first; by its type unless said.'),
  anthropic_beta: z
    .array(text('a glob'), { error: 'a list of globs' })
    .prefault(['*'])
    .describe("Which of the client's anthropic-beta values may reach it."),
  cache_prompts: choice(
    ['off', '5m', '1h'],
    'off',
    'Set cache marks for clients that know none, on Anthropic and Bedrock; how long they last.'
  ),
})

const providers = z.record(z.string().regex(NAME_PATTERN), providerSchema, {
  error: (issue) =>
    issue.code === 'invalid_key'
      ? 'a name of lower-case letters, digits, - and _, starting with a letter or digit'
      : 'a mapping of provider names to their settings',
})

export const configurationSchema = fields({
  server: server.prefault({}).describe('How the gateway listens, and its limits.'),
  keys: fields({
    required: trueOrFalse().default(false).describe('Refuse requests without a virtual key.'),
  })
    .prefault({})
    .describe('Virtual keys.'),
  log: log.prefault({}).describe('The request log.'),
  providers: providers
    .optional()
    .describe('Who answers. Left out: every catalog provider whose variable is set.'),
})

/** What a file says, defaults filled in; durations are milliseconds and sizes bytes. */
export type ConfigurationFile = z.output<typeof configurationSchema>

export type ProviderFields = z.output<typeof providerSchema>

/** The configuration's JSON Schema, for editors and other tools. */
export function configurationJsonSchema() {
  return {
    title: 'Tollgate configuration',
    ...z.toJSONSchema(configurationSchema, { io: 'input' }),
  }
}
