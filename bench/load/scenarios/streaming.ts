import type { Scenario } from '../scenario'
import { measureFrameCost } from './frame-cost'
import { measureFrameDelay } from './frame-delay'
import { measureIdleStreams } from './idle-streams'

export const streaming: Scenario = {
  name: 'streaming',
  summary: '300 streams at 50 frames/s: CPU and delay of a frame; 2,000 idle streams (5 minutes)',
  run: async (lab) => [
    ...(await measureFrameCost(lab)),
    ...(await measureFrameDelay(lab)),
    ...(await measureIdleStreams(lab)),
  ],
}
