import type { ConfidentialClientApplication, ManagedIdentityApplication } from '@azure/msal-node'
import type { AzureIdentity } from '../../config/identity'
import { boundedFetch } from './bounded-fetch'
import type { Credential } from './credential'
import type { FetchedCredential } from './kept-credential'
import { createTokenCredential, type TokenHeaders } from './token-credential'

const AUTHORITY = 'https://login.microsoftonline.com'

type Environment = Readonly<Record<string, string | undefined>>
type Application = { acquire(): Promise<Token | null> }
type Token = { readonly accessToken: string; readonly expiresOn: Date | null }

/**
 * A bearer token of Microsoft Entra, by a client secret, a federated token, else the machine's managed identity. What
 * the configuration leaves open comes from the variables that AKS sets for a workload identity.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
export function createAzureCredential(
  identity: AzureIdentity,
  environment: Environment = process.env
): Credential {
  const known = withEnvironment(identity, environment)
  const network = new NetworkClient()
  let application: Promise<Application> | undefined
  return createTokenCredential({
    noun: 'an Entra token',
    secrets: [known.clientSecret, known.clientSecret && encodeURIComponent(known.clientSecret)],
    obtain: async () => {
      application ??= openApplication(known, network)
      try {
        return toFetched(await (await application).acquire())
      } catch (error) {
        // What it learnt about its authority could be what was wrong.
        application = undefined
        throw new Error(network.takeFailure() ?? 'no token', { cause: error })
      }
    },
  })
}

/** https://learn.microsoft.com/azure/aks/workload-identity-overview */
function withEnvironment(identity: AzureIdentity, environment: Environment): AzureIdentity {
  const federatedTokenFile =
    identity.federatedTokenFile ??
    (identity.clientSecret === undefined ? environment['AZURE_FEDERATED_TOKEN_FILE'] : undefined)
  const isApplication = identity.clientSecret !== undefined || federatedTokenFile !== undefined
  // Without a secret of its own, AZURE_CLIENT_ID names the managed identity to take, as Microsoft's libraries do.
  return {
    ...identity,
    federatedTokenFile,
    clientId: identity.clientId ?? environment['AZURE_CLIENT_ID'],
    tenantId: identity.tenantId ?? (isApplication ? environment['AZURE_TENANT_ID'] : undefined),
    authority: identity.authority ?? environment['AZURE_AUTHORITY_HOST'],
  }
}

/**
 * @azure/identity stands on the same library, but keeps a managed identity's tokens in one cache of the whole process
 * with no way past it: a refused token would come again until its end. Here every call asks the giver.
 */
async function openApplication(
  identity: AzureIdentity,
  networkClient: NetworkClient
): Promise<Application> {
  const msal = await import('@azure/msal-node')
  if (identity.clientSecret === undefined && identity.federatedTokenFile === undefined) {
    const { clientId } = identity
    const managed = new msal.ManagedIdentityApplication({
      managedIdentityIdParams: clientId ? { userAssignedClientId: clientId } : {},
      system: { networkClient, disableInternalRetries: true },
    })
    return { acquire: () => acquireManaged(managed, identity.scope) }
  }
  const { clientId, tenantId, clientSecret, federatedTokenFile } = identity
  if (clientId === undefined || tenantId === undefined)
    throw new Error('a client secret or a federated token needs a tenant_id and a client_id')
  const host = (identity.authority ?? AUTHORITY).replace(/\/+$/, '')
  const confidential = new msal.ConfidentialClientApplication({
    auth: {
      clientId,
      authority: `${host}/${tenantId}`,
      // The configuration says whom to trust; asking Microsoft about it fails in clouds that cannot reach it.
      knownAuthorities: [new URL(host).host],
      ...(clientSecret === undefined
        ? { clientAssertion: () => readAssertion(federatedTokenFile) }
        : { clientSecret }),
    },
    system: { networkClient },
  })
  return { acquire: () => acquireForApplication(confidential, identity.scope) }
}

function acquireForApplication(
  application: ConfidentialClientApplication,
  scope: string
): Promise<Token | null> {
  return application.acquireTokenByClientCredential({ scopes: [scope], skipCache: true })
}

function acquireManaged(
  application: ManagedIdentityApplication,
  scope: string
): Promise<Token | null> {
  return application.acquireToken({
    resource: scope.replace(/\/\.default$/, ''),
    forceRefresh: true,
  })
}

/** Read each time: the cluster writes a new token into the same file. */
async function readAssertion(path: string | undefined): Promise<string> {
  return (await Bun.file(path ?? '').text()).trim()
}

function toFetched(token: Token | null): FetchedCredential<TokenHeaders> {
  if (!token?.accessToken || !token.expiresOn) throw new Error('the answer is not a token')
  return {
    value: { authorization: `Bearer ${token.accessToken}` },
    lifeMs: token.expiresOn.getTime() - Date.now(),
  }
}

type NetworkOptions = { readonly headers?: Record<string, string>; readonly body?: string }
type NetworkAnswer<T> = { headers: Record<string, string>; body: T; status: number }

/** The library's own has neither a deadline for a token nor a limit to the answer, and keeps to itself what failed. */
class NetworkClient {
  #failure: string | undefined

  sendGetRequestAsync<T>(url: string, options: NetworkOptions = {}): Promise<NetworkAnswer<T>> {
    return this.#request(url, { method: 'GET', headers: options.headers ?? {} })
  }

  sendPostRequestAsync<T>(url: string, options: NetworkOptions = {}): Promise<NetworkAnswer<T>> {
    const { headers = {}, body = '' } = options
    return this.#request(url, { method: 'POST', headers, body })
  }

  /** What went wrong last, once. */
  takeFailure(): string | undefined {
    const failure = this.#failure
    this.#failure = undefined
    return failure
  }

  async #request<T>(url: string, init: RequestInit): Promise<NetworkAnswer<T>> {
    const { host } = new URL(url)
    try {
      const answer = await boundedFetch(url, init)
      const text = await answer.text()
      if (!answer.ok) this.#failure = `${host} answers ${answer.status}: ${text}`
      const body: T = JSON.parse(text)
      return { headers: Object.fromEntries(answer.headers), body, status: answer.status }
    } catch (error) {
      this.#failure ??= `${host}: ${error instanceof Error ? error.message : 'no answer'}`
      throw error
    }
  }
}
