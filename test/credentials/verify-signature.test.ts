import { expect, test } from 'bun:test'
import { verifySignature } from './verify-signature'

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const SIGNATURE = '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'

// `get-vanilla` of Amazon's test suite: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-test-suite.html
const vanilla = (path: string) =>
  new Request(`https://example.amazonaws.com${path}`, {
    headers: {
      host: 'example.amazonaws.com',
      'x-amz-date': '20150830T123600Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
        `SignedHeaders=host;x-amz-date, Signature=${SIGNATURE}`,
    },
  })

test("the stand-ins' verifier agrees with Amazon's own example", () => {
  expect(verifySignature(vanilla('/'), new Uint8Array(), SECRET)).toBe(true)
})

test.each([
  { what: 'another path', request: vanilla('/a'), body: '', secret: SECRET },
  { what: 'another body', request: vanilla('/'), body: '{}', secret: SECRET },
  { what: 'another secret', request: vanilla('/'), body: '', secret: 'other' },
])('and refuses $what', ({ request, body, secret }) => {
  expect(verifySignature(request, new TextEncoder().encode(body), secret)).toBe(false)
})
