import type { SignatureV4 } from '@smithy/signature-v4'
import type { AwsIdentity } from '../../config/identity'
import type { Credential, UnsignedRequest } from './credential'
import { type FetchedCredential, KeptCredential } from './kept-credential'
import { NodeSha256 } from './node-sha256'

/** Keys of Amazon, as every part of its chain gives them. */
type AwsKeys = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}
type Signer = { readonly keys: AwsKeys; readonly signature: SignatureV4 }

/** Amazon takes signatures that are up to five minutes off. */
const TOLERATED_SKEW_MS = 4 * 60_000
const SESSION_NAME = 'tollgate'
/** Amazon's clients warn about a slow answer and wait on unless told to throw; two tries, as we try again ourselves. */
const STS_CLIENT = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 4_000, throwOnRequestTimeout: true },
}

/**
 * Signs requests with Signature Version 4, by a key, a profile or the default chain (environment, shared files, SSO,
 * process, web identity, container, IMDSv2), and by the role to assume where one is named. `now` is the wall clock.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
export function createAwsCredential(identity: AwsIdentity, now = () => Date.now()): Credential {
  /** How far the host's clock is ahead of ours. */
  let skewMs = 0
  const kept = new KeptCredential<Signer>({
    noun: 'AWS credentials',
    secrets: [identity.secretAccessKey, identity.sessionToken],
    obtain: () => fetchSigner(identity, () => now() + skewMs),
  })
  return {
    sign: async (request) => {
      const { signature } = await kept.current()
      return signRequest(signature, request, new Date(now() + skewMs))
    },
    refused: ({ signed, date } = {}) => {
      const seenMs = date ? Date.parse(date) - now() : Number.NaN
      // The wrong time was refused then, not the keys.
      if (Math.abs(seenMs - skewMs) > TOLERATED_SKEW_MS) skewMs = seenMs
      else kept.refused(({ keys }) => !signed || isSignedWith(signed, keys))
    },
    close: () => kept.close(),
  }
}

const isSignedWith = (signed: Readonly<Record<string, string>>, keys: AwsKeys) =>
  signed['x-amz-security-token'] === keys.sessionToken &&
  (signed['authorization'] ?? '').includes(`Credential=${keys.accessKeyId}/`)

async function fetchSigner(
  identity: AwsIdentity,
  hostNow: () => number
): Promise<FetchedCredential<Signer>> {
  const found = await findKeys(identity)
  const keys = identity.roleArn === undefined ? found : await assumeRole(identity, found)
  const { SignatureV4 } = await import('@smithy/signature-v4')
  const signature = new SignatureV4({
    credentials: keys,
    region: identity.region,
    service: identity.service,
    sha256: NodeSha256,
  })
  return {
    value: { keys, signature },
    lifeMs: keys.expiration && keys.expiration.getTime() - hostNow(),
  }
}

async function findKeys(identity: AwsIdentity): Promise<AwsKeys> {
  const { accessKeyId, secretAccessKey, sessionToken, profile, region } = identity
  if (accessKeyId !== undefined && secretAccessKey !== undefined)
    return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
  // A new chain each time: one keeps what it found, and we know better when to ask again.
  const findInChain = defaultProvider({
    ...(profile && { profile }),
    // Files are read again: that is where a rotated key appears.
    ignoreCache: true,
    // Version 1 of the metadata service answers to anybody who can make this machine fetch an address.
    ec2MetadataV1Disabled: true,
    clientConfig: { region, ...STS_CLIENT },
  })
  return findInChain()
}

async function assumeRole(identity: AwsIdentity, keys: AwsKeys): Promise<AwsKeys> {
  const { getDefaultRoleAssumer } = await import('@aws-sdk/nested-clients/sts')
  const assume = getDefaultRoleAssumer({ region: identity.region, ...STS_CLIENT })
  return assume(keys, {
    RoleArn: identity.roleArn,
    RoleSessionName: identity.roleSessionName ?? SESSION_NAME,
    ...(identity.externalId && { ExternalId: identity.externalId }),
  })
}

/**
 * The path is the one on the wire, escaped already; the library escapes it again, as every service but S3 wants it.
 * Only what must be signed is: `fetch` and proxies write other headers anew.
 */
async function signRequest(
  signature: SignatureV4,
  { method, url, headers, body }: UnsignedRequest,
  signingDate: Date
): Promise<Record<string, string>> {
  const { protocol, host, hostname, pathname, searchParams } = new URL(url)
  const toSign: Record<string, string> = { host }
  for (const [name, value] of Object.entries(headers))
    if (name === 'content-type' || name.startsWith('x-amz')) toSign[name] = value
  const query: Record<string, string[]> = {}
  for (const name of searchParams.keys()) query[name] = searchParams.getAll(name)
  const signed = await signature.sign(
    { method, protocol, hostname, path: pathname, query, headers: toSign, body },
    { signingDate }
  )
  const { host: _, ...added } = signed.headers
  return added
}
