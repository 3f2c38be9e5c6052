import { afterAll, describe, expect, test } from 'bun:test'
import type { Identity } from '../../src/config/identity'
import type { Report } from './ask'
import { askInProcess, type Environment } from './ask-in-process'
import { awsCredentialOf, BASE_KEYS, startInstanceMetadata, startSts } from './aws-stand-ins'
import {
  createServiceAccount,
  startGoogleMetadata,
  startGoogleTokens,
  tokenOf,
} from './google-stand-ins'
import { startHost } from './host'
import { type Issuer, type StandIn } from './issuer'
import { ENTRA, startAzureMetadata, startEntra } from './other-stand-ins'

/** A second longer for AWS, whose ends are in whole seconds. */
const LIFE_SECONDS = { aws: 5, google: 4, azure: 4, ibm: 4 }
const REQUESTS_PER_SECOND = 200
const REQUESTS = 1_600

const { clientId, clientSecret, tenantId, scope } = ENTRA
const AWS = { kind: 'aws', region: 'us-east-1', service: 'bedrock' } as const

const account = createServiceAccount()
const sts = startSts()
const instance = startInstanceMetadata()
const google = startGoogleTokens(account.publicKey)
const googleMetadata = startGoogleMetadata()
const entra = await startEntra()
const azureMetadata = startAzureMetadata()
const standIns = [sts, instance, google, googleMetadata, entra, azureMetadata]

afterAll(async () => {
  for (const standIn of standIns) await standIn.stop()
})

type Way = { name: string; identity: Identity; giver: StandIn; environment?: Environment }

const WAYS: Way[] = [
  {
    name: 'STS',
    identity: { ...AWS, ...BASE_KEYS, roleArn: 'arn:aws:iam::123456789012:role/model' },
    giver: sts,
    environment: { AWS_ENDPOINT_URL_STS: sts.url },
  },
  {
    name: "Amazon's instance metadata",
    identity: AWS,
    giver: instance,
    environment: {
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: instance.url,
    },
  },
  {
    name: "Google's token endpoint",
    identity: { kind: 'google', credentialsJson: account.toKeyFile(google.url) },
    giver: google,
  },
  {
    name: "Google's metadata server",
    identity: { kind: 'google' },
    giver: googleMetadata,
    environment: { GCE_METADATA_HOST: new URL(googleMetadata.url).host },
  },
  {
    name: "Entra's token endpoint",
    identity: { kind: 'azure', scope, tenantId, clientId, clientSecret, authority: entra.url },
    giver: entra,
  },
  {
    name: "Azure's instance metadata",
    identity: { kind: 'azure', scope },
    giver: azureMetadata,
    environment: { AZURE_POD_IDENTITY_AUTHORITY_HOST: azureMetadata.url },
  },
]

/** Waits until `issuer` has given out another credential than `before`. */
async function untilRenewed(issuer: Issuer, before: string | undefined): Promise<void> {
  while (issuer.latest?.id === before) await Bun.sleep(5)
}

/** The giver is away when its credential should be renewed, and back before that ends; then all it gave is refused. */
async function makeTrouble({ issuer, vanish, comeBack }: StandIn, lifeMs: number): Promise<void> {
  await untilRenewed(issuer, undefined)
  const first = issuer.latest?.id
  await Bun.sleep(lifeMs * 0.7)
  await vanish()
  await Bun.sleep(lifeMs * 0.15)
  comeBack()
  await untilRenewed(issuer, first)
  // The new one is in use by now, and its own renewal is not yet due.
  await Bun.sleep(lifeMs * 0.25)
  issuer.rotate()
}

async function runThrough(way: Way): Promise<{ report: Report; refused: number; asked: number }> {
  const { identity, giver, environment } = way
  const { issuer } = giver
  issuer.lifeSeconds = LIFE_SECONDS[identity.kind]
  const host = startHost(issuer, identity.kind === 'aws' ? awsCredentialOf : tokenOf)
  const everyMs = 1000 / REQUESTS_PER_SECOND
  const task = { identity, hostUrl: host.url, requests: REQUESTS, everyMs }
  const [report] = await Promise.all([
    askInProcess(task, environment),
    makeTrouble(giver, issuer.lifeSeconds * 1000),
  ])
  await host.stop()
  return { report, refused: host.answers.get(401) ?? 0, asked: issuer.asked }
}

describe('credentials expire, rotate, vanish and come back under 200 requests/s', () => {
  // At the same time, as each takes some lives of a credential.
  const runs = new Map(WAYS.map((way) => [way.name, runThrough(way)]))

  test.each(WAYS)(
    '$name: no request fails',
    async ({ name }) => {
      const run = await runs.get(name)
      expect(run?.report.failures).toEqual([])
      expect(run?.report.answered).toBe(REQUESTS)
      // It was rotated under way, and those who were refused were the ones sent again.
      expect(run?.refused).toBeGreaterThan(0)
      expect(run?.refused).toBe(run?.report.resent)
      // The first, its renewal, the one after the rotation, that one's renewal; a few more where a process was slow.
      expect(run?.asked).toBeGreaterThanOrEqual(3)
      expect(run?.asked).toBeLessThanOrEqual(10)
    },
    30_000
  )
})
