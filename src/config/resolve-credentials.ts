import type { CredentialConfiguration, ProviderConfiguration } from './configuration'
import type { CredentialFields } from './credential-fields'
import type { FieldReport } from './problem'
import type { ProviderFields } from './provider-fields'
import { IDENTITIES } from './provider-row'

/** Resolves a provider with one credential; `undefined` once its problems have been reported. */
export type ResolveReach = (
  given: ProviderFields,
  report: FieldReport
) => Promise<ProviderConfiguration | undefined>

/** What a credential may say in the place of its provider. */
const OWN_FIELDS = ['api_key', 'aws', 'google', 'azure', 'ibm', 'account'] as const
const ELSEWHERE = ['api_key', ...IDENTITIES] as const

/**
 * A provider with several credentials: as the first of them reaches it, and the list of all. `undefined` once problems
 * have been reported; one that is every credential's is told once.
 */
export async function resolveCredentials(
  given: ProviderFields,
  credentials: readonly CredentialFields[],
  report: FieldReport,
  resolveReach: ResolveReach
): Promise<ProviderConfiguration | undefined> {
  for (const field of ELSEWHERE)
    if (given[field] !== undefined)
      report(field, { message: 'stands beside credentials, which take its place', atKey: true })
  const told = new Set<string>()
  const names = new Set<string>()
  const resolved = await Promise.all(
    credentials.map(async (credential, at) => {
      const reportOwn: FieldReport = (field, details) => {
        const [first = ''] = field.split('/')
        const own = OWN_FIELDS.some((known) => known === first && credential[known] !== undefined)
        const path = own ? `credentials/${at}/${field}` : field
        if (told.has(`${path} ${details.message}`)) return
        told.add(`${path} ${details.message}`)
        report(path, details)
      }
      const problem = problemOf(credential)
      if (problem !== undefined) {
        report(`credentials/${at}`, problem)
        return undefined
      }
      const name = credential.name ?? String(at + 1)
      if (names.has(name))
        report(`credentials/${at}`, { message: `is a second one called ${name}` })
      names.add(name)
      const provider = await resolveReach(reachedWith(given, credential), reportOwn)
      return provider && { name, weight: credential.weight, models: credential.models, provider }
    })
  )
  const found = resolved.filter((credential) => credential !== undefined)
  return found.length === credentials.length ? toPooled(found) : undefined
}

function toPooled(
  credentials: readonly CredentialConfiguration[]
): ProviderConfiguration | undefined {
  const [first] = credentials
  return first && { ...first.provider, credentials }
}

/** The provider as if this credential were its only one. */
function reachedWith(given: ProviderFields, credential: CredentialFields): ProviderFields {
  const { api_key, aws, google, azure, ibm } = credential
  const account = credential.account ?? given.account
  return { ...given, credentials: undefined, api_key, aws, google, azure, ibm, account }
}

function problemOf(credential: CredentialFields) {
  const identities = (['aws', 'google', 'azure'] as const).filter((kind) => credential[kind])
  const written = credential.api_key === undefined ? identities : ['api_key', ...identities]
  if (written.length > 1) return { message: `is more than one: it has ${written.join(' and ')}` }
  if (written.length === 1) return undefined
  return {
    message: 'has no credential',
    allowed: 'api_key, aws, google, azure, or api_key and ibm',
  }
}
