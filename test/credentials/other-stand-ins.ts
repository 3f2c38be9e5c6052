import { join } from 'node:path'
import { Issuer, type StandIn, startStandIn } from './issuer'

const FIXTURES = join(import.meta.dir, '..', 'fixtures')
/** Who speaks to Entra's stand-in has to trust this. */
export const CERTIFICATE_FILE = join(FIXTURES, 'localhost.cert.pem')

const TENANT = '11111111-2222-3333-4444-555555555555'
const CLIENT = '66666666-7777-8888-9999-000000000000'
/** What the stand-ins of Entra know. */
export const ENTRA = {
  tenantId: TENANT,
  clientId: CLIENT,
  clientSecret: 'entra~secret/+',
  federatedToken: 'cluster-token',
  scope: 'https://cognitiveservices.azure.com/.default',
}

const BEARER_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/**
 * Entra's token endpoint over TLS, by client secret or federated assertion.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
export async function startEntra(issuer = new Issuer()): Promise<StandIn> {
  const tls = {
    cert: await Bun.file(CERTIFICATE_FILE).text(),
    key: await Bun.file(join(FIXTURES, 'localhost.key.pem')).text(),
  }
  const answer = async (request: Request) => {
    const { pathname, origin } = new URL(request.url)
    if (pathname === `/${TENANT}/v2.0/.well-known/openid-configuration`)
      return Response.json({
        issuer: `${origin}/${TENANT}/v2.0`,
        authorization_endpoint: `${origin}/${TENANT}/oauth2/v2.0/authorize`,
        token_endpoint: `${origin}/${TENANT}/oauth2/v2.0/token`,
        jwks_uri: `${origin}/${TENANT}/discovery/v2.0/keys`,
      })
    if (pathname !== `/${TENANT}/oauth2/v2.0/token`) return new Response('', { status: 404 })
    issuer.asked++
    const form = new URLSearchParams(await request.text())
    const isKnown =
      form.get('client_secret') === ENTRA.clientSecret ||
      (form.get('client_assertion_type') === BEARER_ASSERTION &&
        form.get('client_assertion') === ENTRA.federatedToken)
    if (isKnown && form.get('client_id') === CLIENT && hasScope(form.get('scope')))
      return tokenAnswer(issuer)
    const error_description = `AADSTS7000215: Invalid client secret ${form.get('client_secret')}`
    return Response.json({ error: 'invalid_client', error_description }, { status: 401 })
  }
  return startStandIn(issuer, answer, { tls })
}

const hasScope = (scope: string | null) => (scope ?? '').split(' ').includes(ENTRA.scope)

/**
 * Azure's instance metadata service. `clientId` is the user-assigned identity's, where one must be named.
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
export function startAzureMetadata(clientId: string | null = null, issuer = new Issuer()): StandIn {
  return startStandIn(issuer, (request) => {
    const { pathname, searchParams } = new URL(request.url)
    if (!/^\/metadata\/identity\/oauth2\/token\/?$/.test(pathname))
      return new Response('', { status: 404 })
    issuer.asked++
    const isRight =
      request.headers.get('metadata')?.toLowerCase() === 'true' &&
      searchParams.get('resource') === 'https://cognitiveservices.azure.com' &&
      searchParams.get('client_id') === clientId
    if (!isRight) return Response.json({ error: 'invalid_request' }, { status: 400 })
    return tokenAnswer(issuer, {
      expires_on: String(Math.ceil(Date.now() / 1000) + issuer.lifeSeconds),
      resource: 'https://cognitiveservices.azure.com',
    })
  })
}

/** https://cloud.ibm.com/docs/account?topic=account-iamtoken_from_apikey */
export function startIbmIam(apiKey: string, issuer = new Issuer()): StandIn {
  return startStandIn(issuer, async (request) => {
    const form = new URLSearchParams(await request.text())
    issuer.asked++
    const isRight =
      request.method === 'POST' &&
      form.get('grant_type') === 'urn:ibm:params:oauth:grant-type:apikey' &&
      form.get('apikey') === apiKey
    if (isRight) return tokenAnswer(issuer)
    const errorMessage = `Provided API key ${form.get('apikey')} could not be found.`
    return Response.json({ errorCode: 'BXNIM0415E', errorMessage }, { status: 400 })
  })
}

function tokenAnswer(issuer: Issuer, extra: Record<string, string> = {}): Response {
  return Response.json({
    access_token: `token-${issuer.issue().id}`,
    expires_in: issuer.lifeSeconds,
    token_type: 'Bearer',
    ...extra,
  })
}
