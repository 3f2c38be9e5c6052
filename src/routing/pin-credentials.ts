import { credentialRule } from '../keys/rights'
import type { VirtualKey } from '../keys/virtual-key'
import type { Target } from './target'

/**
 * The target with the credentials that a key may use; the same one where it may use all, `undefined` where it names
 * some of a provider that has only one, without a name.
 */
export function pinCredentials(
  key: Pick<VirtualKey, 'levels'>,
  target: Target
): Target | undefined {
  const mayUseCredential = credentialRule(key, target.provider.name)
  if (mayUseCredential === undefined) return target
  return target.provider.pool === undefined ? undefined : { ...target, mayUseCredential }
}

/** Why a target has no credential that a key may use. */
export function explainPinned({ provider }: Target): string {
  return `the key may only use credentials of '${provider.name}' by their names, and it has one without`
}
