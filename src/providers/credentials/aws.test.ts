import {
  BedrockRuntimeClient,
  ConverseCommand,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from '@aws-sdk/client-bedrock-runtime'
import type { FinalizeRequestMiddleware } from '@smithy/types'
import { describe, expect, test } from 'bun:test'
import type { AwsIdentity } from '../../config/identity'
import { isRecord } from '../../std/record'
import { createAwsCredential } from './aws'

const KEYS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
const IDENTITY: AwsIdentity = { kind: 'aws', region: 'us-east-1', service: 'bedrock', ...KEYS }
const VECTOR_TIME = Date.parse('2015-08-30T12:36:00Z')
const URL_OF_MODEL = 'https://bedrock-runtime.us-east-1.amazonaws.com/model/a.b%3A0/converse'
const BODY = new TextEncoder().encode('{"messages":[]}')
const REQUEST = {
  method: 'POST',
  url: URL_OF_MODEL,
  headers: { 'content-type': 'application/json' },
  body: BODY,
} as const

const timeOf = (headers: Record<string, string>) => headers['x-amz-date']

describe('signing', () => {
  // The signature of the SDK is the reference: it takes the same request at the same moment.
  test.each([
    { model: 'anthropic.claude-sonnet-4-20250514-v1:0', sessionToken: undefined },
    { model: 'anthropic.claude-sonnet-4-20250514-v1:0', sessionToken: 'session/token+1==' },
    {
      model: 'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.model:0',
      sessionToken: undefined,
    },
  ])('$model, session $sessionToken: as the SDK signs it', async ({ model, sessionToken }) => {
    const theirs = await signWithSdk(model, sessionToken)
    const now = toTime(theirs.headers['x-amz-date'])
    const credential = createAwsCredential({ ...IDENTITY, sessionToken }, () => now)
    const headers = { 'content-type': theirs.headers['content-type'] ?? '' }
    const url = `https://${theirs.headers['host']}${theirs.path}`
    const ours = await credential.sign({ method: 'POST', url, headers, body: theirs.body })
    expect(parametersOf(ours['authorization'])).toEqual(
      parametersOf(theirs.headers['authorization'])
    )
  })

  test('only what a proxy leaves alone is signed', async () => {
    const credential = createAwsCredential(IDENTITY, () => VECTOR_TIME)
    const headers = {
      ...REQUEST.headers,
      'user-agent': 'a',
      'accept-encoding': 'b',
      'x-amzn-c': 'd',
    }
    const signed = await credential.sign({ ...REQUEST, headers })
    expect(signed['authorization']).toContain(
      'SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amzn-c,'
    )
    expect(Object.keys(signed).sort()).toEqual([
      'authorization',
      'content-type',
      'x-amz-content-sha256',
      'x-amz-date',
      'x-amzn-c',
    ])
  })

  test('the order of a query does not matter', async () => {
    const credential = createAwsCredential(IDENTITY, () => VECTOR_TIME)
    const sign = async (query: string) =>
      (await credential.sign({ ...REQUEST, url: `${URL_OF_MODEL}?${query}` }))['authorization']
    expect(await sign('b=2&a=1%20x')).toBe(await sign('a=1%20x&b=2'))
    expect(await sign('b=2&a=1%20x')).not.toBe(await sign('b=2&a=1'))
  })
})

describe('a clock that is wrong', () => {
  test('follows the host, once a refusal shows its time', async () => {
    const credential = createAwsCredential(IDENTITY, () => VECTOR_TIME)
    expect(timeOf(await credential.sign(REQUEST))).toBe('20150830T123600Z')
    credential.refused({ date: 'Sun, 30 Aug 2015 12:56:00 GMT' })
    expect(timeOf(await credential.sign(REQUEST))).toBe('20150830T125600Z')
    credential.refused({ date: 'Sun, 30 Aug 2015 12:36:00 GMT' })
    expect(timeOf(await credential.sign(REQUEST))).toBe('20150830T123600Z')
  })

  test.each(['Sun, 30 Aug 2015 12:37:00 GMT', 'yesterday', ''])(
    'a refusal at %p is none of the clock',
    async (date) => {
      const credential = createAwsCredential(IDENTITY, () => VECTOR_TIME)
      await credential.sign(REQUEST)
      credential.refused({ date })
      expect(timeOf(await credential.sign(REQUEST))).toBe('20150830T123600Z')
    }
  )
})

const SIGNED_BY_BOTH = ['host', 'content-type']

type Sent = { headers: Record<string, string>; path: string; body: Uint8Array }

async function signWithSdk(model: string, sessionToken: string | undefined): Promise<Sent> {
  const sent: Sent[] = []
  const client = new BedrockRuntimeClient({
    region: 'us-east-1',
    credentials: { ...KEYS, ...(sessionToken && { sessionToken }) },
    requestHandler: {
      handle: async (request: { headers: Record<string, string>; path: string; body: unknown }) => {
        const { body } = request
        if (!(body instanceof Uint8Array)) throw new Error('bytes expected')
        sent.push({ headers: request.headers, path: request.path, body })
        throw new Error('captured')
      },
    },
    maxAttempts: 1,
  })
  // Headers of its own, which we do not send.
  const keepShared: FinalizeRequestMiddleware<ServiceInputTypes, ServiceOutputTypes> =
    (next) => async (args) => {
      const request: unknown = args.request
      if (isRecord(request) && isRecord(request['headers']))
        for (const name of Object.keys(request['headers']))
          if (!SIGNED_BY_BOTH.includes(name.toLowerCase())) delete request['headers'][name]
      return next(args)
    }
  client.middlewareStack.addRelativeTo(keepShared, {
    relation: 'before',
    toMiddleware: 'httpSigningMiddleware',
    name: 'keepShared',
  })
  await client
    .send(
      new ConverseCommand({
        modelId: model,
        messages: [{ role: 'user', content: [{ text: 'ä' }] }],
      })
    )
    .catch(() => undefined)
  const [first] = sent
  if (!first) throw new Error('the SDK sent nothing')
  return first
}

/** `20150830T123600Z` in milliseconds. */
const toTime = (text = '') =>
  Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))

/** The parts of an Authorization header, without how they are set. */
const parametersOf = (authorization = '') =>
  Object.fromEntries(
    authorization
      .replace('AWS4-HMAC-SHA256 ', '')
      .split(/,\s*/)
      .map((part) => part.split('=', 2))
  )
