import { z } from 'zod'
import { fields, reference, text, urlPart } from './fields'
import { awsFields, azureFields, googleFields, ibmFields } from './identity-fields'

/** Names of credentials, as in `credential/PROVIDER/NAME`. */
export const CREDENTIAL_NAME = '[A-Za-z0-9][A-Za-z0-9._-]{0,63}'
const MANY = 256
const MOST_WEIGHT = 1_000_000

const credential = fields({
  name: text('a name')
    .regex(
      new RegExp(`^${CREDENTIAL_NAME}$`),
      'a name of at most 64 letters, digits, dots, - and _, starting with a letter or digit'
    )
    .optional()
    .describe('What it is called in logs and limits; its place in the list (1, 2, …) unless said.'),
  api_key: reference().optional().describe('Its key: ${ENV_NAME} or ${file:PATH}.'),
  aws: awsFields().optional().describe('AWS credentials; {} for the default chain.'),
  google: googleFields().optional().describe('Google credentials; {} for the default ones.'),
  azure: azureFields().optional().describe('Entra credentials; {} for the managed identity.'),
  ibm: ibmFields().optional().describe('Where IBM Cloud exchanges its API key for a token.'),
  account: urlPart()
    .optional()
    .describe("{account} in the base URL for this one; the provider's unless said."),
  weight: z
    .number({ error: 'a number above 0' })
    .gt(0, 'a number above 0')
    .max(MOST_WEIGHT, `at most ${MOST_WEIGHT}`)
    .prefault(1)
    .describe('Its share of the requests beside the others.'),
  models: z
    .array(text('a glob'), { error: 'a list of globs' })
    .prefault([])
    .describe('Globs of the models it is good for; all unless said.'),
})

/** `credentials:` of a provider, several in the place of `api_key`. */
export function credentialsField() {
  return z
    .array(credential, { error: 'a list of credentials' })
    .min(1, 'at least one')
    .max(MANY, `at most ${MANY}`)
    .optional()
    .describe(
      'Several keys or identities in the place of api_key: one is chosen by weight for each attempt.'
    )
}

/** What a file says of one of several credentials, defaults filled in. */
export type CredentialFields = z.output<typeof credential>
