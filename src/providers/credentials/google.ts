import type { AuthClient, JWTInput } from 'google-auth-library'
import type { GoogleIdentity } from '../../config/identity'
import { isRecord, stringOf } from '../../std/record'
import { boundedFetch } from './bounded-fetch'
import type { Credential } from './credential'
import type { FetchedCredential } from './kept-credential'
import { createTokenCredential, type TokenHeaders } from './token-credential'

const SCOPES = ['https://www.googleapis.com/auth/cloud-platform']
const TOKEN_URL = 'https://oauth2.googleapis.com/token'
/** Not asked for, the project is sought far and wide, by starting `gcloud` too; no request names it. */
const NO_PROJECT = '-'
const NOTHING_FOUND = 'Could not load the default credentials'
/** Tokens last an hour unless they say otherwise. */
const USUAL_LIFE_MS = 3_600_000

/**
 * A bearer token for Google Cloud, by a service account's key, workload identity federation, or Application Default
 * Credentials. https://docs.cloud.google.com/docs/authentication/application-default-credentials
 */
export function createGoogleCredential({ credentialsJson }: GoogleIdentity): Credential {
  const secrets: string[] = []
  return createTokenCredential({
    noun: 'a Google token',
    secrets,
    obtain: async () => {
      const text = credentialsJson ?? (await readNamedFile())
      if (text === undefined) return fetchDefaultToken()
      const credentials = parseCredentials(text)
      secrets.splice(0, secrets.length, ...secretsOf(credentials))
      return fetchToken(credentials)
    },
  })
}

/** The first place of Application Default Credentials; read each time, as the file may be rotated. */
async function readNamedFile(): Promise<string | undefined> {
  const path = process.env['GOOGLE_APPLICATION_CREDENTIALS']
  if (!path) return undefined
  return Bun.file(path)
    .text()
    .catch(() => {
      throw new Error('the file that GOOGLE_APPLICATION_CREDENTIALS names cannot be read')
    })
}

/** What its members must be is for the library to say. */
function parseCredentials(text: string): JWTInput {
  try {
    const parsed: unknown = JSON.parse(text)
    if (isRecord(parsed)) return parsed
  } catch {
    // The parser's message can quote the key.
  }
  throw new Error("the credentials are not a JSON object: a service account's key is expected")
}

const secretsOf = ({ private_key, client_secret, refresh_token }: JWTInput) =>
  [private_key, client_secret, refresh_token].filter((secret) => secret !== undefined)

async function fetchToken(credentials: JWTInput): Promise<FetchedCredential<TokenHeaders>> {
  // The library is loaded at the first need: it is no part of a start without Google.
  const { GoogleAuth, JWT } = await import('google-auth-library')
  const tokenUrl = stringOf(credentials, 'token_uri') ?? TOKEN_URL
  // The library takes no notice of the key's own endpoint, which private networks need; Google's other ones do.
  const fetchImplementation: typeof boundedFetch = (input, init) =>
    boundedFetch(String(input) === TOKEN_URL ? tokenUrl : input, init)
  // A new client each time, as one keeps its token to the end.
  if (credentials.type === 'service_account') {
    const client = new JWT({ scopes: SCOPES, transporterOptions: { fetchImplementation } })
    client.fromJSON(credentials)
    return toFetched(client)
  }
  const auth = new GoogleAuth({
    scopes: SCOPES,
    projectId: NO_PROJECT,
    credentials,
    clientOptions: { transporterOptions: { fetchImplementation } },
  })
  return toFetched(await auth.getClient())
}

/** By gcloud's file or the metadata server. */
async function fetchDefaultToken(): Promise<FetchedCredential<TokenHeaders>> {
  const { Compute, GoogleAuth } = await import('google-auth-library')
  const clientOptions = { transporterOptions: { fetchImplementation: boundedFetch } }
  const auth = new GoogleAuth({ scopes: SCOPES, projectId: NO_PROJECT, clientOptions })
  try {
    return await toFetched(await auth.getClient())
  } catch (error) {
    // Whoever names another identity, even a broken one, does not want the machine's.
    if (!(error instanceof Error) || !error.message.startsWith(NOTHING_FOUND)) throw error
    // The library decides once for the whole process whether there is a metadata server. One that started after us,
    // as in a new pod, would never be asked again.
    return toFetched(new Compute({ scopes: SCOPES })).catch(() => {
      throw error
    })
  }
}

async function toFetched(client: AuthClient): Promise<FetchedCredential<TokenHeaders>> {
  // With the project that pays, where the credentials name one.
  const headers = await client.getRequestHeaders()
  const endsAt = client.credentials.expiry_date
  return {
    value: Object.fromEntries(headers),
    lifeMs: endsAt ? endsAt - Date.now() : USUAL_LIFE_MS,
  }
}
