import { join } from 'node:path'
import { z } from 'zod'
import type { Call } from './call'
import type { Lab } from './lab'

const REQUEST_LIMIT_SECONDS = 15

const wrkResult = z.object({
  requests: z.number(),
  micros: z.number(),
  bytes: z.number(),
  failed: z.number(),
  p50Micros: z.number(),
  p99Micros: z.number(),
})

export type ClosedLoopResult = {
  requests: number
  /** Read from the wire, heads included. */
  bytes: number
  failed: number
  requestsPerSecond: number
  p50Ms: number
  p99Ms: number
}

/** wrk: `connections` clients that send their next request when they have their answer. */
export async function closedLoop(
  lab: Lab,
  call: Call,
  connections: number,
  seconds: number
): Promise<ClosedLoopResult> {
  const out = await lab.children.run(
    [
      ...['wrk', '-t1', `-c${connections}`, `-d${seconds}s`],
      ...['--timeout', `${REQUEST_LIMIT_SECONDS}s`],
      ...['-s', join(import.meta.dir, 'post.lua'), call.url],
    ],
    {
      limitMs: (seconds + 2 * REQUEST_LIMIT_SECONDS) * 1_000,
      env: { KEY: call.key, BODY: call.body },
    }
  )
  const json = /^RESULT (.*)$/m.exec(out)?.[1]
  if (json === undefined) throw new Error(`wrk printed no result: ${out}`)
  const { requests, micros, bytes, failed, p50Micros, p99Micros } = wrkResult.parse(
    JSON.parse(json)
  )
  return {
    requests,
    bytes,
    failed,
    requestsPerSecond: requests / (micros / 1e6),
    p50Ms: p50Micros / 1e3,
    p99Ms: p99Micros / 1e3,
  }
}

const vegetaReport = z.object({
  requests: z.number(),
  latencies: z.object({ '50th': z.number(), '99th': z.number(), max: z.number() }),
  status_codes: z.record(z.string(), z.number()),
})

export type ArrivalResult = {
  requests: number
  /** Whatever did not end in a 200. */
  failed: number
  p50Ms: number
  p99Ms: number
  maxMs: number
}

/** vegeta: requests arrive at a constant rate, whether or not the ones before were answered. */
export async function constantArrival(
  lab: Lab,
  call: Call,
  ratePerSecond: number,
  seconds: number
): Promise<ArrivalResult> {
  const bodyFile = join(lab.directory, 'vegeta.json')
  const resultFile = join(lab.directory, 'vegeta.bin')
  await Bun.write(bodyFile, call.body)
  const limitMs = (seconds + 2 * REQUEST_LIMIT_SECONDS) * 1_000
  await lab.children.run(
    [
      ...['vegeta', 'attack', `-rate=${ratePerSecond}`, `-duration=${seconds}s`],
      ...[`-timeout=${REQUEST_LIMIT_SECONDS}s`, '-max-body=0', '-redirects=-1'],
      ...['-root-certs', lab.certificateFile, '-header', 'content-type: application/json'],
      ...['-header', `authorization: Bearer ${call.key}`, `-body=${bodyFile}`],
      `-output=${resultFile}`,
    ],
    { limitMs, stdin: `POST ${call.url}\n` }
  )
  const json = await lab.children.run(['vegeta', 'report', '-type=json', resultFile], { limitMs })
  const { requests, latencies, status_codes } = vegetaReport.parse(JSON.parse(json))
  return {
    requests,
    failed: requests - (status_codes['200'] ?? 0),
    p50Ms: latencies['50th'] / 1e6,
    p99Ms: latencies['99th'] / 1e6,
    maxMs: latencies.max / 1e6,
  }
}

/**
 * Requests of our own at a constant rate, for clients that do what wrk and vegeta can't: leave, or keep
 * what they were told. `send` gets the number of the request and must not throw.
 */
export function startOpenLoop(ratePerSecond: number, send: (number: number) => Promise<void>) {
  const startedAtMs = performance.now()
  const underWay = new Set<Promise<void>>()
  let sent = 0
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAtMs) / 1_000) * ratePerSecond)
    while (sent < due) {
      const request = send(sent++)
      underWay.add(request)
      void request.finally(() => underWay.delete(request))
    }
  }, 2)
  return {
    /** Sends no more, and waits for what is under way, but not for ever. Gives how many were sent. */
    async stop(): Promise<number> {
      clearInterval(timer)
      await Promise.race([Promise.all(underWay), Bun.sleep(REQUEST_LIMIT_SECONDS * 1_000)])
      return sent
    },
  }
}
