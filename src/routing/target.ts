import type { Provider } from '../providers/provider'

/** One provider and model that can serve a request. */
export type Target = {
  provider: Provider
  /** The name the provider knows the model by. */
  upstreamModel: string
  /** `provider/model`: what rights, the log and the answer speak of. */
  name: string
  /** The name as a header can carry it. */
  headerName: string
}
