import { gatewayContender } from '../contenders'
import { atMost } from '../figures'
import { createSite } from '../gateway'
import { startUpstream } from '../nginx'
import { eachPair } from '../rounds'
import type { Scenario } from '../scenario'
import { describeContender, describeThreads, saturate } from './saturation'

const CONNECTIONS = 32

export const limits: Scenario = {
  name: 'limits',
  summary: 'CPU a request with six budgets beside the same without (2 minutes)',
  async run(lab) {
    const upstream = await startUpstream(lab)
    const contenders = [
      gatewayContender(lab, await createSite(lab, 'unlimited', { prices: true }), 'unlimited'),
      gatewayContender(lab, await createSite(lab, 'limited', { budgets: true }), 'limited'),
    ]
    const rounds = await saturate(lab, contenders, CONNECTIONS)
    await lab.children.stop(upstream)
    return [
      ...contenders.flatMap(({ name }) => describeContender(rounds, name)),
      ...contenders.flatMap(({ name }) => describeThreads(rounds, name)),
      atMost(
        1.1,
        'CPU a request with six budgets, by without',
        '×',
        eachPair(
          rounds,
          ['limited', 'unlimited'],
          ({ cpuMicros }) => cpuMicros,
          (a, b) => a / b
        )
      ),
    ]
  },
}
