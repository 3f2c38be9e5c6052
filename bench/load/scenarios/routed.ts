import { gatewayCall } from '../call'
import { type Contender, gatewayContender } from '../contenders'
import { atMost } from '../figures'
import { createSite, type Site, startGateway } from '../gateway'
import type { Lab } from '../lab'
import { startUpstream } from '../nginx'
import { eachPair } from '../rounds'
import type { Scenario } from '../scenario'
import { describeContender, describeThreads, saturate } from './saturation'

const CONNECTIONS = 32

/** Four targets, all of them well; the first is asked. */
const ROUTE = `routes:
  smart:
    strategy: fallback
    targets: [fast/gpt-4o-mini, fast/gpt-4o, fast/gpt-4.1, fast/gpt-4.1-mini]
`

export const routed: Scenario = {
  name: 'routed',
  summary:
    'CPU a request by a route with four healthy targets beside a model by its name (2 minutes)',
  async run(lab) {
    const upstream = await startUpstream(lab)
    const site = await createSite(lab, 'named')
    const contenders = [
      gatewayContender(lab, site, 'named'),
      routeContender(lab, await createSite(lab, 'routed', { more: ROUTE })),
    ]
    const rounds = await saturate(lab, contenders, CONNECTIONS)
    await lab.children.stop(upstream)
    return [
      ...contenders.flatMap(({ name }) => describeContender(rounds, name)),
      ...contenders.flatMap(({ name }) => describeThreads(rounds, name)),
      atMost(
        1.05,
        'CPU a request by a healthy route, by a model’s name',
        '×',
        eachPair(
          rounds,
          ['routed', 'named'],
          ({ cpuMicros }) => cpuMicros,
          (a, b) => a / b
        )
      ),
    ]
  },
}

function routeContender(lab: Lab, site: Site): Contender {
  return {
    name: 'routed',
    async start() {
      const child = await startGateway(lab, site)
      const call = () => gatewayCall(lab, site.key, 'smart', false)
      return { name: 'routed', pid: child.pid, call, stop: () => lab.children.stop(child) }
    },
  }
}
