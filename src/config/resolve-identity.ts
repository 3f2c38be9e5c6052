import { resolve } from 'node:path'
import type { Identity } from './identity'
import type { FieldReport } from './problem'
import type { ProviderFields } from './provider-fields'
import type { ProviderRow } from './provider-row'
import { expandReferences, type ReferenceSource } from './references'

const AZURE_SCOPE = 'https://cognitiveservices.azure.com/.default'
const STANDARD_REGION = 'us-east-1'

/** What else is known of the provider by now. */
type Known = { apiKey: string | undefined; region: string | undefined }

/**
 * Whose short-lived credentials a provider's requests carry; `undefined` where a key goes with them, or nothing. A key
 * wins, but for hosts that take it only in exchange for a token. Problems are reported.
 */
export async function resolveIdentity(
  given: ProviderFields,
  row: ProviderRow,
  known: Known,
  source: ReferenceSource,
  report: FieldReport
): Promise<Identity | undefined> {
  for (const kind of ['aws', 'google', 'azure', 'ibm'] as const)
    if (given[kind] !== undefined && row.identity !== kind)
      report(kind, { message: `is not where ${row.title} gets its credentials`, atKey: true })
  if (row.identity === undefined || given.api_key === 'none' || given.api_key === 'caller')
    return undefined
  const secretOf = async (field: string, text: string | undefined) => {
    if (text === undefined) return undefined
    const kind = field.endsWith('credentials') ? 'document' : 'header'
    const expansion = await expandReferences(text, source, kind)
    if (expansion.ok) return expansion.text
    report(field, expansion.details)
    return undefined
  }
  if (row.identity === 'ibm')
    return known.apiKey === undefined
      ? undefined
      : { kind: 'ibm', apiKey: known.apiKey, tokenUrl: given.ibm?.token_url }
  if (known.apiKey !== undefined) return undefined
  switch (row.identity) {
    case 'aws':
      return resolveAws(given, known.region ?? STANDARD_REGION, secretOf, report)
    case 'google':
      return {
        kind: 'google',
        credentialsJson: await secretOf('google/credentials', given.google?.credentials),
      }
    case 'azure':
      return {
        kind: 'azure',
        scope: given.azure?.scope ?? row.identityScope ?? AZURE_SCOPE,
        tenantId: given.azure?.tenant_id,
        clientId: given.azure?.client_id,
        clientSecret: await secretOf('azure/client_secret', given.azure?.client_secret),
        federatedTokenFile:
          given.azure?.federated_token_file &&
          resolve(source.directory, given.azure.federated_token_file),
        authority: given.azure?.authority,
      }
  }
}

async function resolveAws(
  { aws }: ProviderFields,
  region: string,
  secretOf: (field: string, text: string | undefined) => Promise<string | undefined>,
  report: FieldReport
): Promise<Identity> {
  if ((aws?.access_key_id === undefined) !== (aws?.secret_access_key === undefined)) {
    const missing = aws?.access_key_id === undefined ? 'access_key_id' : 'secret_access_key'
    report('aws', { message: `has one half of a key: ${missing} is missing` })
  }
  return {
    kind: 'aws',
    region,
    service: 'bedrock',
    accessKeyId: aws?.access_key_id,
    secretAccessKey: await secretOf('aws/secret_access_key', aws?.secret_access_key),
    sessionToken: await secretOf('aws/session_token', aws?.session_token),
    profile: aws?.profile,
    roleArn: aws?.role_arn,
    externalId: aws?.external_id,
    roleSessionName: aws?.role_session_name,
  }
}
