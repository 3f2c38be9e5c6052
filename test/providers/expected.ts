import type { ExpectedCall } from './expected-call'
import { CLOUD_CALLS } from './expected-clouds'
import { HOST_CALLS } from './expected-hosts'
import { MAKER_CALLS } from './expected-makers'
import { OPERATION_CALLS } from './expected-operations'
import { ROUTER_CALLS } from './expected-routers'

export type { ExpectedCall } from './expected-call'

/** What every host of the catalog is sent, by its own document: each format once at least. */
export const EXPECTED_CALLS: readonly ExpectedCall[] = [
  ...MAKER_CALLS,
  ...CLOUD_CALLS,
  ...HOST_CALLS,
  ...ROUTER_CALLS,
  ...OPERATION_CALLS,
]
