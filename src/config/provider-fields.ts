import { z } from 'zod'
import { baseUrl, choice, duration, extraHeaders, fields, pathOverride } from './fields'
import { secret, text, trueOrFalse, urlPart } from './fields'
import { credentialsField } from './credential-fields'
import { awsFields, azureFields, googleFields, ibmFields } from './identity-fields'
import { UNIT_DECIMALS, usd } from './models-fields'
import { WIRE_FORMATS } from './provider-row'

const STATUS = 'an HTTP status from 200 to 599'

const deadline = { from: '1ms', to: '24h' }

const deadlines = fields({
  connect: duration('10s', deadline, 'To a connection, where the host has not answered lately.'),
  first_byte: duration('5m', deadline, 'To the first byte of the answer, connecting included.'),
  between_frames: duration('2m', deadline, 'Between two frames of a stream.'),
  total: duration('30m', deadline, 'For the whole request.'),
})

const probe = fields({
  every: duration('30s', { from: '1s', to: '24h' }, 'From the end of one to the next, or so.'),
  path: text('a path with its leading slash')
    .regex(/^\/[^\s#]*$/, 'a path with its leading slash')
    .optional()
    .describe("What is asked for, by GET behind base_url; the host's list of models unless said."),
  timeout: duration('2s', { from: '100ms', to: '5m' }, 'How long the whole answer may take.'),
  status: z
    .int({ error: STATUS })
    .min(200, STATUS)
    .max(599, STATUS)
    .optional()
    .describe(
      'The only status that is right; any 2xx unless said, and 401, 403, 429 tell nothing.'
    ),
})

const passthrough = fields({
  enabled: trueOrFalse().default(true).describe('Whether anything passes.'),
  paths: z
    .array(text('a glob of paths').regex(/^\//, 'a glob of paths, with its leading slash'), {
      error: 'a list of globs of paths',
    })
    .prefault([])
    .describe('Paths behind base_url that pass beside those of inference; * crosses slashes.'),
  price: usd(UNIT_DECIMALS, 'a request')
    .optional()
    .describe('USD for each request whose model has no price of its own.'),
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
  credentials: credentialsField(),
  api_key_header: text('a header name')
    .regex(/^[A-Za-z0-9-]+$/, 'a header name')
    .optional()
    .describe(
      'The header that the key stands in, alone; by the format or the catalog unless said.'
    ),
  account: urlPart().optional().describe('{account} in the base URL: resource, project, account.'),
  region: urlPart().optional().describe('{region} in the base URL.'),
  deployment: urlPart().optional().describe('{deployment} in the base URL.'),
  api_version: urlPart().optional().describe('{api_version} in its paths.'),
  aws: awsFields().optional().describe('AWS credentials; the default chain unless said.'),
  google: googleFields().optional().describe('Google credentials; the default ones unless said.'),
  azure: azureFields().optional().describe('Entra credentials; the managed identity unless said.'),
  ibm: ibmFields().optional().describe('Where IBM Cloud exchanges the API key for a token.'),
  models: z
    .array(text('a model name'), { error: 'a list of model names' })
    .prefault([])
    .describe("Model names known beside the catalog's and the host's own list."),
  aliases: z
    .record(text('a model name'), text("the host's name of a model"), {
      error: "a mapping of model names to the host's names",
    })
    .prefault({})
    .describe('Models the host knows by another name: an Azure deployment, an ARN.'),
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
  probe: probe
    .optional()
    .describe('Ask the host from time to time whether it is well; while not, it is passed by.'),
  passthrough: passthrough
    .prefault({})
    .describe('What goes to the host as it is, under /passthrough.'),
  retry_on_reset: trueOrFalse()
    .default(true)
    .describe('Send again, once, after a reset before the answer began; it may be billed twice.'),
  include_usage: trueOrFalse()
    .optional()
    .describe('Ask for usage in streams; unless said, if the host is known to take that.'),
  keeps_responses: trueOrFalse()
    .optional()
    .describe('The host keeps responses itself; where it does not, the gateway does.'),
  protocols: z
    .array(z.enum(WIRE_FORMATS), { error: `a list of ${WIRE_FORMATS.join(', ')}` })
    .min(1, 'at least one')
    .optional()
    .describe('The wire formats it speaks, the preferred one first; by its type unless said.'),
  paths: z
    .partialRecord(z.enum(WIRE_FORMATS), pathOverride(), {
      error: `a mapping of ${WIRE_FORMATS.join(', ')} to paths`,
    })
    .prefault({})
    .describe('Paths behind base_url where a format is served elsewhere; {model} is its name.'),
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

/** What a file says of one provider, defaults filled in. */
export type ProviderFields = z.output<typeof providerSchema>
