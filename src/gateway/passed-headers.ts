import type { Provider } from '../providers/provider'
import { matchesGlob } from '../std/glob'
import type { ClientCall } from './client-call'

/**
 * The client's headers that go to a provider: those that its own format knows, betas filtered, and the caller's
 * credential where the provider is configured to take it. `undefined` for none.
 */
export function toPassedHeaders(
  call: ClientCall,
  { configuration }: Provider,
  isSameFormat: boolean
): Readonly<Record<string, string>> | undefined {
  const passed = isSameFormat
    ? filterBetas(call.passedHeaders, configuration.anthropicBeta)
    : undefined
  if (!configuration.passesCallerKey) return passed
  return { ...passed, ...call.credentials() }
}

/** https://platform.claude.com/docs/en/api/beta-headers: a list in one header. */
function filterBetas(
  headers: Readonly<Record<string, string>> | undefined,
  allowed: readonly string[]
): Readonly<Record<string, string>> | undefined {
  const betas = headers?.['anthropic-beta']
  if (betas === undefined) return headers
  const kept = betas
    .split(',')
    .map((beta) => beta.trim())
    .filter((beta) => allowed.some((glob) => matchesGlob(glob, beta)))
  const { 'anthropic-beta': _, ...others } = headers ?? {}
  return kept.length === 0 ? others : { ...others, 'anthropic-beta': kept.join(',') }
}
