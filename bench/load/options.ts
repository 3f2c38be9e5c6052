import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

export type Peer = { name: string; url: string; pid: number }

export type Options = {
  scenarios: string[]
  /** The gateway's executable and what stands before `serve`. */
  gateway: string[]
  /** `undefined`: as many as the scenario wants. */
  rounds: number | undefined
  /** Of each measurement; `undefined`: as long as the scenario wants. */
  seconds: number | undefined
  warmSeconds: number
  /** At once; `undefined`: as many as the scenario wants. */
  uploads: number | undefined
  /** Of each upload. */
  megabytes: number | undefined
  basePort: number
  jsonFile: string | undefined
  peers: Peer[]
}

export type OptionsResult =
  { ok: true; options: Options } | { ok: false; help: boolean; problem: string }

const ROOT = join(import.meta.dir, '../..')

/** Reads the command line; `known` are the scenarios there are. */
export function parseOptions(args: string[], known: readonly string[]): OptionsResult {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        warm: { type: 'string', default: '3' },
        uploads: { type: 'string' },
        megabytes: { type: 'string' },
        gateway: { type: 'string', default: join(ROOT, 'dist/tollgate') },
        'base-port': { type: 'string', default: '19000' },
        json: { type: 'string' },
        peer: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) return { ok: false, help: true, problem: '' }
    const unknown = positionals.find((name) => !known.includes(name))
    if (unknown !== undefined) throw new Error(`there is no scenario ${unknown}`)
    return {
      ok: true,
      options: {
        scenarios: positionals.length > 0 ? positionals : [...known],
        gateway: parseGateway(values.gateway),
        rounds: parseCount('--rounds', values.rounds, 1_000),
        seconds: parseCount('--seconds', values.seconds, 86_400),
        uploads: parseCount('--uploads', values.uploads, 250),
        megabytes: parseCount('--megabytes', values.megabytes, 500),
        warmSeconds: parseCount('--warm', values.warm, 60) ?? 3,
        basePort: parseCount('--base-port', values['base-port'], 65_000) ?? 19_000,
        jsonFile: values.json,
        peers: values.peer.map(parsePeer),
      },
    }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    return { ok: false, help: false, problem }
  }
}

/** A path, or a command whose first word is found on the PATH and whose files are told by their path. */
function parseGateway(text: string): string[] {
  if (existsSync(text)) return [resolve(text)]
  const [program = '', ...rest] = text.split(/\s+/)
  const found = Bun.which(program)
  if (found === null || rest.length === 0)
    throw new Error(`there is no ${text}: build it with 'bun run build', or name it by --gateway`)
  return [found, ...rest.map((part) => (existsSync(part) ? resolve(part) : part))]
}

function parseCount(name: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= most) return count
  throw new Error(`${name} is a whole number from 1 to ${most}`)
}

function parsePeer(text: string): Peer {
  const [, name, url, pid] = /^([^=]+)=(https?:\/\/[^,]+),(\d+)$/.exec(text) ?? []
  if (name === undefined || url === undefined) throw new Error('--peer is NAME=URL,PID')
  return { name, url: url.replace(/\/+$/, ''), pid: Number(pid) }
}

export const HELP = `Measures the whole gateway under load, with nginx as the yardstick beside it.

  bun bench/load/run.ts [SCENARIO …] [options]

Options:
  --gateway PATH     the executable (default: dist/tollgate); also a command, e.g. 'bun src/main.ts'
  --rounds N         interleaved rounds, starts or kills, instead of the scenario's own number
  --seconds N        length of each measurement, instead of the scenario's own
  --warm N           seconds of load before each measurement (default: 3)
  --uploads N        forms at once in uploads, instead of 200
  --megabytes N      size of each of them, instead of 100
  --json FILE        write every round's figures there
  --base-port N      use the ports behind N (default: 19000)
  --peer NAME=URL,PID
                     another gateway that runs already, pinned to the first CPU: measured beside in
                     saturation, connections and arrival. It must know the model fast/gpt-4o-mini at
                     http://127.0.0.1:19001/v1 and slow/gpt-4o-mini at http://127.0.0.1:19001/slow/v1;
                     the environment's PEER_KEY is its key

The gateway, and nginx as its yardstick, are pinned to one CPU, the upstream and the load to another.
Keys are required, every request is journaled and logged. Figures are medians. It needs Linux, nginx
with the echo module, wrk, vegeta, openssl and taskset, and says what is missing.

Exit codes: 0 within every budget, 1 over one, 2 could not be measured.

Scenarios (all of them unless named):`
