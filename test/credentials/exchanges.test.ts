import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Identity } from '../../src/config/identity'
import { askInProcess, type Environment } from './ask-in-process'
import {
  awsCredentialOf,
  BASE_KEYS,
  startContainerEndpoint,
  startInstanceMetadata,
  startSts,
} from './aws-stand-ins'
import {
  createServiceAccount,
  FEDERATED_TOKEN,
  startGoogleMetadata,
  startGoogleTokens,
  toFederation,
  tokenOf,
} from './google-stand-ins'
import { startHost } from './host'
import type { StandIn } from './issuer'
import { ENTRA, startAzureMetadata, startEntra, startIbmIam } from './other-stand-ins'

const AWS = { kind: 'aws', region: 'us-east-1', service: 'bedrock' } as const
const ROLE_ARN = 'arn:aws:iam::123456789012:role/model'
const IBM_KEY = 'ibm/key+1'
const { clientId, clientSecret, tenantId, scope } = ENTRA

const folder = mkdtempSync(join(tmpdir(), 'tollgate-credentials-'))
const tokenFile = join(folder, 'token')
const profilesFile = join(folder, 'config')
const keyFile = join(folder, 'key.json')
const account = createServiceAccount()

const sts = startSts()
const instance = startInstanceMetadata()
const container = startContainerEndpoint('container-secret')
const google = startGoogleTokens(account.publicKey)
const googleMetadata = startGoogleMetadata()
const entra = await startEntra()
const azureMetadata = startAzureMetadata()
const azureUserMetadata = startAzureMetadata(clientId)
const ibm = startIbmIam(IBM_KEY)
const standIns = [
  sts,
  instance,
  container,
  google,
  googleMetadata,
  entra,
  azureMetadata,
  azureUserMetadata,
  ibm,
]

beforeAll(() => {
  writeFileSync(tokenFile, FEDERATED_TOKEN)
  writeFileSync(keyFile, account.toKeyFile(google.url))
  writeFileSync(
    profilesFile,
    `[profile model]\nrole_arn = ${ROLE_ARN}\nsource_profile = base\nregion = us-east-1\n` +
      `[profile base]\naws_access_key_id = ${BASE_KEYS.accessKeyId}\n` +
      `aws_secret_access_key = ${BASE_KEYS.secretAccessKey}\n`
  )
})

afterAll(async () => {
  for (const standIn of standIns) await standIn.stop()
  rmSync(folder, { recursive: true })
})

type Way = { name: string; identity: Identity; giver: StandIn; environment?: Environment }

const WAYS: Way[] = [
  {
    name: "AWS, the machine's instance metadata",
    identity: AWS,
    giver: instance,
    environment: {
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: instance.url,
    },
  },
  {
    name: "AWS, the container's endpoint",
    identity: AWS,
    giver: container,
    environment: {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: container.url,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'container-secret',
    },
  },
  {
    name: 'AWS, a web identity',
    identity: AWS,
    giver: sts,
    environment: {
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
      AWS_ROLE_ARN: ROLE_ARN,
      AWS_ENDPOINT_URL_STS: sts.url,
    },
  },
  {
    name: 'AWS, a role assumed with a key',
    identity: { ...AWS, ...BASE_KEYS, roleArn: ROLE_ARN, externalId: 'e1' },
    giver: sts,
    environment: { AWS_ENDPOINT_URL_STS: sts.url },
  },
  {
    name: "AWS, a role assumed with the environment's key",
    identity: { ...AWS, roleArn: ROLE_ARN },
    giver: sts,
    environment: {
      AWS_ACCESS_KEY_ID: BASE_KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: BASE_KEYS.secretAccessKey,
      AWS_ENDPOINT_URL_STS: sts.url,
    },
  },
  {
    name: 'AWS, a profile',
    identity: { ...AWS, profile: 'model' },
    giver: sts,
    environment: { AWS_CONFIG_FILE: profilesFile, AWS_ENDPOINT_URL_STS: sts.url },
  },
  {
    name: "Google, a service account's key",
    identity: { kind: 'google', credentialsJson: account.toKeyFile(google.url) },
    giver: google,
  },
  {
    name: 'Google, a workload identity federation',
    identity: { kind: 'google', credentialsJson: toFederation(google.url, tokenFile) },
    giver: google,
  },
  {
    name: 'Google, the file that the environment names',
    identity: { kind: 'google' },
    giver: google,
    environment: { GOOGLE_APPLICATION_CREDENTIALS: keyFile },
  },
  {
    name: 'Google, the metadata server',
    identity: { kind: 'google' },
    giver: googleMetadata,
    environment: { GCE_METADATA_HOST: new URL(googleMetadata.url).host },
  },
  {
    name: 'Entra, a client secret',
    identity: { kind: 'azure', scope, tenantId, clientId, clientSecret, authority: entra.url },
    giver: entra,
  },
  {
    name: 'Entra, a federated token',
    identity: {
      kind: 'azure',
      scope,
      tenantId,
      clientId,
      federatedTokenFile: tokenFile,
      authority: entra.url,
    },
    giver: entra,
  },
  {
    name: 'Entra, the workload identity that the environment describes',
    identity: { kind: 'azure', scope },
    giver: entra,
    environment: {
      AZURE_TENANT_ID: tenantId,
      AZURE_CLIENT_ID: clientId,
      AZURE_FEDERATED_TOKEN_FILE: tokenFile,
      AZURE_AUTHORITY_HOST: entra.url,
    },
  },
  {
    name: "Entra, the machine's own identity",
    identity: { kind: 'azure', scope },
    giver: azureMetadata,
    environment: { AZURE_POD_IDENTITY_AUTHORITY_HOST: azureMetadata.url },
  },
  {
    name: 'Entra, an identity assigned to the machine',
    identity: { kind: 'azure', scope, clientId },
    giver: azureUserMetadata,
    environment: { AZURE_POD_IDENTITY_AUTHORITY_HOST: azureUserMetadata.url },
  },
  {
    name: 'IBM Cloud, an API key',
    identity: { kind: 'ibm', apiKey: IBM_KEY, tokenUrl: ibm.url },
    giver: ibm,
  },
]

describe('a credential', () => {
  test.each(WAYS)('of $name', async ({ identity, giver, environment }) => {
    const { issuer } = giver
    const { asked } = issuer
    const credentialOf = identity.kind === 'aws' ? awsCredentialOf : tokenOf
    const host = startHost(issuer, credentialOf)
    const task = { identity, hostUrl: host.url, requests: 20, everyMs: 0 }
    const report = await askInProcess(task, environment)
    expect(report).toMatchObject({ answered: 20, resent: 0, failures: [] })
    expect(issuer.asked - asked).toBe(1)
    await host.stop()
  })

  test("names the project that pays where the service account's key does", async () => {
    const host = startHost(google.issuer, tokenOf)
    const identity = {
      kind: 'google',
      credentialsJson: account.toKeyFile(google.url),
    } as const
    const report = await askInProcess({ identity, hostUrl: host.url, requests: 1, everyMs: 0 })
    expect(Object.keys(report.headers).sort()).toEqual(['authorization', 'x-goog-user-project'])
    expect(report.headers['x-goog-user-project']).toBe('paying-project')
    await host.stop()
  })
})

test("Google's metadata server is found though it starts after the first request", async () => {
  const late = startGoogleMetadata()
  const host = startHost(late.issuer, tokenOf)
  await late.vanish()
  const task = {
    identity: { kind: 'google' } as const,
    hostUrl: host.url,
    requests: 25,
    everyMs: 150,
  }
  const asking = askInProcess(task, { GCE_METADATA_HOST: new URL(late.url).host })
  await Bun.sleep(1_500)
  late.comeBack()
  const report = await asking
  expect(report.answered).toBeGreaterThan(0)
  expect(report.answered + report.failures.length).toBe(25)
  await host.stop()
  await late.stop()
}, 20_000)

const REFUSED: { name: string; identity: Identity; secret: string; reason: string }[] = [
  {
    name: 'Entra',
    identity: {
      kind: 'azure',
      scope,
      tenantId,
      clientId,
      clientSecret: 'wrong-secret',
      authority: entra.url,
    },
    secret: 'wrong-secret',
    reason: 'AADSTS7000215',
  },
  {
    name: 'IBM Cloud',
    identity: { kind: 'ibm', apiKey: 'wrong-key', tokenUrl: ibm.url },
    secret: 'wrong-key',
    reason: 'BXNIM0415E',
  },
  {
    name: 'STS',
    identity: { ...AWS, ...BASE_KEYS, secretAccessKey: 'wrong-secret', roleArn: ROLE_ARN },
    secret: 'wrong-secret',
    reason: 'SignatureDoesNotMatch',
  },
  {
    name: 'Google',
    identity: { kind: 'google', credentialsJson: '{"private_key":"wrong-key", …' },
    secret: 'wrong-key',
    reason: 'not a JSON object',
  },
]

describe('a giver that refuses', () => {
  test.each(REFUSED)('$name: the reason is told, the secret is not', async (given) => {
    const { identity, secret, reason } = given
    const task = { identity, hostUrl: 'http://127.0.0.1:1', requests: 5, everyMs: 0 }
    const report = await askInProcess(task, { AWS_ENDPOINT_URL_STS: sts.url })
    expect(report.answered).toBe(0)
    expect(report.failures).toHaveLength(5)
    const [failure = ''] = report.failures
    expect(failure).toContain(reason)
    expect(failure).not.toContain(secret)
  })
})
