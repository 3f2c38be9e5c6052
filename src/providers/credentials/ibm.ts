import { z } from 'zod'
import type { IbmIdentity } from '../../config/identity'
import { boundedFetch } from './bounded-fetch'
import type { Credential } from './credential'
import type { FetchedCredential } from './kept-credential'
import { createTokenCredential, type TokenHeaders } from './token-credential'

const TOKEN_URL = 'https://iam.cloud.ibm.com/identity/token'
const GRANT_TYPE = 'urn:ibm:params:oauth:grant-type:apikey'

const tokenSchema = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() })

/**
 * A bearer token in exchange for an IBM Cloud API key.
 * https://cloud.ibm.com/docs/account?topic=account-iamtoken_from_apikey
 */
export function createIbmCredential(identity: IbmIdentity): Credential {
  return createTokenCredential({
    noun: 'an IBM Cloud token',
    secrets: [identity.apiKey, encodeURIComponent(identity.apiKey)],
    obtain: (signal) => fetchToken(identity, signal),
  })
}

async function fetchToken(
  { apiKey, tokenUrl = TOKEN_URL }: IbmIdentity,
  signal: AbortSignal
): Promise<FetchedCredential<TokenHeaders>> {
  const answer = await boundedFetch(tokenUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    },
    body: new URLSearchParams({ grant_type: GRANT_TYPE, apikey: apiKey }).toString(),
    signal,
  })
  if (!answer.ok) throw new Error(`status ${answer.status}: ${await answer.text()}`)
  const token = tokenSchema.safeParse(await answer.json().catch(() => undefined))
  if (!token.success) throw new Error('the answer is not a token')
  return {
    value: { authorization: `Bearer ${token.data.access_token}` },
    lifeMs: token.data.expires_in * 1000,
  }
}
