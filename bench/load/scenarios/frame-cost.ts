import type { Call } from '../call'
import { gatewayContender, nginxContender } from '../contenders'
import { atMost, type Figure, report } from '../figures'
import { createSite } from '../gateway'
import type { Lab } from '../lab'
import { closedLoop } from '../load'
import { startUpstream } from '../nginx'
import { cpuBetween, readCpu, withPeakPss } from '../processes'
import { readAnswer } from '../raw-client'
import { each, eachPair, inRounds } from '../rounds'
import { STREAM_FRAMES } from '../upstream-answers'

const STREAMS = 300
const STREAM_LIMIT_MS = 20_000

type Result = { frames: number; cpuMicros: number; peakPssMb: number; failed: number }

/** CPU a frame beside nginx, which does not buffer either: 300 streams of 100 frames at 20 ms. */
export async function measureFrameCost(lab: Lab): Promise<Figure[]> {
  const { rounds = 5, seconds = 8, warmSeconds } = lab.options
  const upstream = await startUpstream(lab)
  const site = await createSite(lab, 'streaming')
  const contenders = [nginxContender(lab), gatewayContender(lab, site)]
  const results = await inRounds<Result>(lab, rounds, contenders, {
    warm: ({ call }) => closedLoop(lab, call('sse'), STREAMS, warmSeconds),
    async measure({ pid, call }) {
      if (pid === undefined) throw new Error('there is no process to measure')
      const frameBytes = await measureFrameBytes(call('sse'))
      const before = readCpu(pid)
      const { result, peakPssBytes } = await withPeakPss(pid, () =>
        closedLoop(lab, call('sse'), STREAMS, seconds)
      )
      const cpu = cpuBetween(before, readCpu(pid))
      // Streams that are open at the end count by what was read of them.
      const frames = result.bytes / frameBytes
      return {
        frames,
        cpuMicros: cpu.totalMicros / frames,
        peakPssMb: peakPssBytes / 1e6,
        failed: result.failed,
      }
    },
    describe: ({ frames, cpuMicros, failed }) =>
      `${frames.toFixed(0)} frames, ${cpuMicros.toFixed(1)} µs CPU each, ${failed} failed`,
  })
  await lab.children.stop(upstream)
  const cpuMicros = (result: Result) => result.cpuMicros
  return [
    ...contenders.flatMap(({ name }) => [
      report(`${name} CPU a frame`, 'µs', each(results, name, cpuMicros)),
      report(
        `${name} memory (PSS), 300 streams`,
        'MB',
        each(results, name, (r) => r.peakPssMb)
      ),
    ]),
    atMost(
      2,
      'gateway CPU a frame, by nginx',
      '×',
      eachPair(results, ['gateway', 'nginx'], cpuMicros, (gateway, nginx) => gateway / nginx)
    ),
    atMost(0, 'gateway failed streams', '', Math.max(...each(results, 'gateway', (r) => r.failed))),
  ]
}

/** A frame's bytes on the wire as this contender sends it: chunk sizes and its part of the head too. */
async function measureFrameBytes(call: Call): Promise<number> {
  const answer = await readAnswer(call, STREAM_LIMIT_MS)
  if (!answer?.includes('data: [DONE]')) throw new Error(`no whole stream from ${call.url}`)
  return answer.length / STREAM_FRAMES
}
