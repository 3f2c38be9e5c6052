import { isPrivateHost } from '../config/private-address'
import { GatewayError } from '../errors/gateway-error'

const CHECK_AGAIN_AFTER_MS = 30_000

/** Gives nothing when a host may be reached; throws `upstream_unreachable` when it resolves inwards. */
export type AddressGuard = (provider: string, host: string) => Promise<void> | undefined

/** How errors call whoever is to be reached, and the field that allows private addresses. */
export type GuardTerms = (name: string) => { readonly title: string; readonly field: string }

const providerTerms: GuardTerms = (name) => ({
  title: `the provider '${name}'`,
  field: `providers.${name}.private_addresses`,
})

/**
 * Keeps a public-looking name from leading into the private network (DNS rebinding, metadata services):
 * each name is resolved and every address looked at, again after 30 s, which is as long as Bun keeps a
 * resolved name. Providers with `private_addresses: true` never come here.
 */
export function createAddressGuard(lookup = Bun.dns.lookup, terms = providerTerms): AddressGuard {
  const checkedAtMs = new Map<string, number>()
  return (provider, host) => {
    const nowMs = performance.now()
    const checked = checkedAtMs.get(host)
    if (checked !== undefined && nowMs - checked < CHECK_AGAIN_AFTER_MS) return undefined
    return check(provider, host, nowMs)
  }

  async function check(provider: string, host: string, nowMs: number): Promise<void> {
    const addresses = await resolve(provider, host.replace(/^\[|\]$/g, ''))
    const inward = addresses.find(({ address }) => isPrivateHost(address))
    if (inward)
      throw new GatewayError(
        'upstream_unreachable',
        `${terms(provider).title} resolves to the private address ${inward.address}; if that is meant, set ${terms(provider).field}: true`,
        { shouldRetry: false }
      )
    checkedAtMs.set(host, nowMs)
  }

  async function resolve(provider: string, host: string): Promise<{ address: string }[]> {
    try {
      return await lookup(host, { backend: 'system' })
    } catch (cause) {
      throw new GatewayError(
        'upstream_unreachable',
        `the name of ${terms(provider).title}, ${host}, can't be resolved`,
        { cause }
      )
    }
  }
}
