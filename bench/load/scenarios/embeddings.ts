import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import type { Call } from '../call'
import { type Contender, nginxContender } from '../contenders'
import { atMost, report } from '../figures'
import { createSite, startGateway } from '../gateway'
import type { Lab } from '../lab'
import { closedLoop } from '../load'
import { EMBEDDINGS_FILE, startUpstream } from '../nginx'
import { cpuBetween, readCpu, withPeakPss } from '../processes'
import { each, eachPair, inRounds } from '../rounds'
import type { Scenario } from '../scenario'

const INPUTS = 2_048
const DIMENSIONS = 1_536
const CONNECTIONS = 4

type Result = { cpuMillis: number; requests: number; failed: number; peakPssMb: number }

export const embeddings: Scenario = {
  name: 'embeddings',
  summary: '2,048 inputs and their vectors, 17 MB: CPU a request beside nginx (1 minute)',
  async run(lab) {
    const { rounds = 5, seconds = 6, warmSeconds } = lab.options
    await Bun.write(join(lab.directory, EMBEDDINGS_FILE), makeAnswer())
    // nginx's worker is nobody where its parent is root.
    chmodSync(lab.directory, 0o755)
    const upstream = await startUpstream(lab)
    const site = await createSite(lab, 'embeddings')
    const contenders = [nginxContender(lab), gateway(lab, site)]
    const calls = new Map([
      ['nginx', callTo(`http://127.0.0.1:${lab.ports.proxy}`, 'none', 'text-embedding-3-small')],
      [
        'gateway',
        callTo(`http://127.0.0.1:${lab.ports.gateway}`, site.key, 'fast/text-embedding-3-small'),
      ],
    ])
    const callOf = (name: string): Call => calls.get(name) ?? callTo('', '', '')
    const results = await inRounds<Result>(lab, rounds, contenders, {
      warm: ({ name }) => closedLoop(lab, callOf(name), CONNECTIONS, warmSeconds),
      async measure({ name, pid }) {
        if (pid === undefined) throw new Error('there is no process to measure')
        const before = readCpu(pid)
        const { result, peakPssBytes } = await withPeakPss(pid, () =>
          closedLoop(lab, callOf(name), CONNECTIONS, seconds)
        )
        const { totalMicros } = cpuBetween(before, readCpu(pid))
        const { requests, failed } = result
        return {
          ...{ requests, failed, peakPssMb: peakPssBytes / 1e6 },
          cpuMillis: totalMicros / 1e3 / requests,
        }
      },
      describe: ({ requests, cpuMillis, failed }) =>
        `${requests} requests, ${cpuMillis.toFixed(1)} ms CPU each, ${failed} failed`,
    })
    await lab.children.stop(upstream)
    return [
      ...contenders.map(({ name }) =>
        report(
          `${name} CPU a request`,
          'ms',
          each(results, name, (r) => r.cpuMillis)
        )
      ),
      report(
        'gateway memory (PSS)',
        'MB',
        each(results, 'gateway', (r) => r.peakPssMb)
      ),
      atMost(
        2,
        'gateway CPU a request of 2,048 inputs, by nginx',
        '×',
        eachPair(
          results,
          ['gateway', 'nginx'],
          (r) => r.cpuMillis,
          (a, b) => a / b
        )
      ),
      atMost(
        0,
        'gateway failed',
        'requests',
        Math.max(...each(results, 'gateway', (r) => r.failed))
      ),
    ]
  },
}

function gateway(lab: Lab, site: Awaited<ReturnType<typeof createSite>>): Contender {
  return {
    name: 'gateway',
    async start() {
      const child = await startGateway(lab, site)
      const call = () => callTo('', site.key, '')
      return { name: 'gateway', pid: child.pid, call, stop: () => lab.children.stop(child) }
    },
  }
}

function callTo(origin: string, key: string, model: string): Call {
  const input = Array.from({ length: INPUTS }, (_, at) => `a text of some words, number ${at}`)
  return {
    url: `${origin}/v1/embeddings`,
    key,
    body: JSON.stringify({ model, input, encoding_format: 'base64' }),
  }
}

/** As OpenAI gives it: vectors as base64 of floats, the usage behind them. */
function makeAnswer(): string {
  const vector = Buffer.from(
    Float32Array.from({ length: DIMENSIONS }, (_, at) => Math.sin(at)).buffer
  ).toString('base64')
  const data = Array.from({ length: INPUTS }, (_, index) => ({
    ...{ object: 'embedding', index, embedding: vector },
  }))
  const usage = { prompt_tokens: 16_000, total_tokens: 16_000 }
  return JSON.stringify({ object: 'list', data, model: 'text-embedding-3-small', usage })
}
