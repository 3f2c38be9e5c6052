import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { Issuer, type StandIn, startStandIn } from './issuer'

const CLOUD_SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
export const FEDERATED_TOKEN = 'cluster-token'
const EMAIL = 'gateway@project.iam.gserviceaccount.com'

/** A service account: its public key, and its key file as Google hands it out, but with a token endpoint of ours. */
export function createServiceAccount() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const toKeyFile = (tokenUrl: string) =>
    JSON.stringify({
      type: 'service_account',
      project_id: 'project',
      private_key_id: 'k1',
      private_key: privateKey,
      client_email: EMAIL,
      client_id: '1',
      token_uri: tokenUrl,
      quota_project_id: 'paying-project',
    })
  return { publicKey, toKeyFile }
}

/** A workload identity federation whose own token is in a file. https://google.aip.dev/auth/4117 */
export const toFederation = (tokenUrl: string, tokenFile: string) =>
  JSON.stringify({
    type: 'external_account',
    audience:
      '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: tokenUrl,
    credential_source: { file: tokenFile },
  })

/**
 * Google's token endpoints: the JWT bearer grant, whose assertion must be signed with `publicKey`'s other half, and
 * the exchange of a federated token. https://developers.google.com/identity/protocols/oauth2/service-account
 */
export function startGoogleTokens(publicKey: string, issuer = new Issuer()): StandIn {
  return startStandIn(issuer, async (request) => {
    const form = new URLSearchParams(await request.text())
    issuer.asked++
    const isRight =
      form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer'
        ? isAssertion(form.get('assertion') ?? '', publicKey)
        : form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:token-exchange' &&
          form.get('subject_token') === FEDERATED_TOKEN &&
          form.get('scope') === CLOUD_SCOPE
    if (isRight) return tokenAnswer(issuer)
    return Response.json({ error: 'invalid_grant' }, { status: 400 })
  })
}

function isAssertion(assertion: string, publicKey: string): boolean {
  const [header = '', payload = '', signature = ''] = assertion.split('.')
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString() || 'null')
  const isSigned = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    createPublicKey(publicKey),
    Buffer.from(signature, 'base64url')
  )
  return (
    isSigned &&
    typeof claims === 'object' &&
    claims !== null &&
    'iss' in claims &&
    claims.iss === EMAIL &&
    'scope' in claims &&
    claims.scope === CLOUD_SCOPE
  )
}

/** The metadata server. https://docs.cloud.google.com/compute/docs/access/authenticate-workloads */
export function startGoogleMetadata(issuer = new Issuer()): StandIn {
  return startStandIn(issuer, (request) => {
    if (request.headers.get('metadata-flavor') !== 'Google')
      return new Response('', { status: 403 })
    const { pathname } = new URL(request.url)
    const headers = { 'metadata-flavor': 'Google' }
    if (pathname.endsWith('/instance/service-accounts/default/token')) {
      issuer.asked++
      return tokenAnswer(issuer, headers)
    }
    if (pathname.endsWith('/universe/universe-domain'))
      return new Response('googleapis.com', { headers })
    return new Response('ok', { headers })
  })
}

function tokenAnswer(issuer: Issuer, headers: Record<string, string> = {}): Response {
  const token = {
    access_token: `token-${issuer.issue().id}`,
    expires_in: issuer.lifeSeconds,
    token_type: 'Bearer',
  }
  return Response.json(token, { headers })
}

/** The id of the credential whose token a request carries. */
export const tokenOf = (request: Request) =>
  /^Bearer token-(\d+)$/.exec(request.headers.get('authorization') ?? '')?.[1]
