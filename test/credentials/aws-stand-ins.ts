import { type Issued, Issuer, type StandIn, startStandIn } from './issuer'
import { readSignature, verifySignature } from './verify-signature'

export const BASE_KEYS = { accessKeyId: 'AKIABASE', secretAccessKey: 'base-secret' }
const ROLE = 'tollgate-instance'
const METADATA_TOKEN = 'metadata-session'

export type AwsKeys = { accessKeyId: string; secretAccessKey: string; sessionToken: string }

/** What the credential of an id looks like. */
export const toKeys = ({ id }: { readonly id: string }): AwsKeys => ({
  accessKeyId: `ASIA${id}`,
  secretAccessKey: `secret-${id}`,
  sessionToken: `session-${id}`,
})

const isoAfter = (issuer: Issuer) =>
  // Whole seconds, as the real ones: up to a second early is a shorter life, never a longer one.
  new Date(Date.now() + issuer.lifeSeconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z')

/**
 * STS: AssumeRole, which must be signed with the base keys, and AssumeRoleWithWebIdentity, which is not signed.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function startSts(issuer = new Issuer()): StandIn & { readonly asks: URLSearchParams[] } {
  const asks: URLSearchParams[] = []
  const standIn = startStandIn(issuer, async (request) => {
    const body = new Uint8Array(await request.arrayBuffer())
    const ask = new URLSearchParams(new TextDecoder().decode(body))
    const action = ask.get('Action') ?? ''
    issuer.asked++
    asks.push(ask)
    if (action === 'AssumeRole' && !verifySignature(request, body, BASE_KEYS.secretAccessKey))
      return stsError('SignatureDoesNotMatch', 403)
    if (action === 'AssumeRoleWithWebIdentity' && !ask.get('WebIdentityToken'))
      return stsError('InvalidIdentityToken', 400)
    return stsAnswer(action, issuer, issuer.issue())
  })
  return Object.assign(standIn, { asks })
}

function stsAnswer(action: string, issuer: Issuer, issued: Issued): Response {
  const keys = toKeys(issued)
  return xml(
    200,
    `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>` +
      `<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/model/tollgate</Arn>` +
      `<AssumedRoleId>AROA:tollgate</AssumedRoleId></AssumedRoleUser>` +
      `<Credentials><AccessKeyId>${keys.accessKeyId}</AccessKeyId>` +
      `<SecretAccessKey>${keys.secretAccessKey}</SecretAccessKey>` +
      `<SessionToken>${keys.sessionToken}</SessionToken>` +
      `<Expiration>${isoAfter(issuer)}</Expiration></Credentials></${action}Result>` +
      `<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${action}Response>`
  )
}

const stsError = (code: string, status: number) =>
  xml(
    status,
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`
  )

const xml = (status: number, text: string) =>
  new Response(text, { status, headers: { 'content-type': 'text/xml' } })

/**
 * The instance metadata service, version 2 alone: a session by PUT, the role, its keys.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
 */
export function startInstanceMetadata(issuer = new Issuer()): StandIn {
  return startStandIn(issuer, (request) => {
    const { pathname } = new URL(request.url)
    if (pathname === '/latest/api/token')
      return request.method === 'PUT'
        ? new Response(METADATA_TOKEN)
        : new Response('', { status: 405 })
    if (request.headers.get('x-aws-ec2-metadata-token') !== METADATA_TOKEN)
      return new Response('', { status: 401 })
    if (pathname === '/latest/meta-data/iam/security-credentials/') return new Response(ROLE)
    if (pathname !== `/latest/meta-data/iam/security-credentials/${ROLE}`)
      return new Response('', { status: 404 })
    return keysAnswer(issuer)
  })
}

/**
 * The container endpoint of ECS and EKS Pod Identity, with its authorization token.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
export function startContainerEndpoint(authorization: string, issuer = new Issuer()): StandIn {
  return startStandIn(issuer, (request) =>
    request.headers.get('authorization') === authorization
      ? keysAnswer(issuer)
      : new Response('', { status: 401 })
  )
}

function keysAnswer(issuer: Issuer): Response {
  issuer.asked++
  const { accessKeyId, secretAccessKey, sessionToken } = toKeys(issuer.issue())
  return Response.json({
    Code: 'Success',
    Type: 'AWS-HMAC',
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: sessionToken,
    Expiration: isoAfter(issuer),
  })
}

/** The id of the credential that a request is signed with; `undefined` where the signature is not the right one. */
export function awsCredentialOf(request: Request, body: Uint8Array): string | undefined {
  const id = readSignature(request)?.accessKeyId.slice('ASIA'.length)
  if (id === undefined) return undefined
  const { secretAccessKey, sessionToken } = toKeys({ id })
  const isRight =
    request.headers.get('x-amz-security-token') === sessionToken &&
    verifySignature(request, body, secretAccessKey)
  return isRight ? id : undefined
}
