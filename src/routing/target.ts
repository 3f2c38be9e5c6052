import type { WireFormat } from '../config/provider-row'
import type { ModelCard } from '../models/model-card'
import type { Provider } from '../providers/provider'

/** One provider and model that can serve a request. */
export type Target = {
  provider: Provider
  /** The name the provider knows the model by. */
  upstreamModel: string
  /** `provider/model`: what rights, the log and the answer speak of. */
  name: string
  /** The formats that the model is told in, the preferred one first. */
  protocols: readonly WireFormat[]
  /** What the model takes, can do and costs; `undefined` where nobody says. */
  card: ModelCard | undefined
  /** The name as a header can carry it. */
  headerName: string
  /** Which of the provider's several credentials the caller may use, by name; left out for all. */
  mayUseCredential?: (credential: string) => boolean
}
