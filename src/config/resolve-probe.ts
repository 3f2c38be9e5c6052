import type { ProbeSettings } from './configuration'
import type { FieldReport } from './problem'
import type { ProviderFields } from './provider-fields'
import type { ModelListPlace } from './provider-row'

/** How a provider is probed: by its list of models unless another path is given. Reports where it has none. */
export function resolveProbe(
  given: NonNullable<ProviderFields['probe']>,
  list: ModelListPlace | undefined,
  report: FieldReport
): ProbeSettings | undefined {
  const path = given.path ?? list?.path
  const { every: everyMs, timeout: timeoutMs, status } = given
  if (path !== undefined) return { everyMs, path, timeoutMs, status }
  report('probe', { message: 'has no path, and the host no list of models', fix: 'set probe.path' })
  return undefined
}
