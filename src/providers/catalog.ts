import type { ProviderRow } from '../config/provider-row'
import { CLOUDS } from './catalog/clouds'
import { INFERENCE_HOSTS } from './catalog/inference-hosts'
import { LOCAL } from './catalog/local'
import { MAKERS } from './catalog/makers'
import { MAKERS_CHINA } from './catalog/makers-china'
import { ROUTERS } from './catalog/routers'

/**
 * Every provider that is known by name. A host that speaks a known protocol is a row and no code. `models` is what
 * a bare model name finds before the host's own list has been read, so it may lag behind: it names what the
 * documents name, not everything that is served. Of two rows with the same environment variable the first counts.
 */
export const CATALOG: readonly ProviderRow[] = [
  ...MAKERS,
  ...MAKERS_CHINA,
  ...CLOUDS,
  ...INFERENCE_HOSTS,
  ...ROUTERS,
  ...LOCAL,
]
