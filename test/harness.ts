import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { checkModelList } from '../src/cli/check-model-list'
import { openDataDirectory } from '../src/cli/data-directory'
import { openGateway } from '../src/cli/open-gateway'
import { parseConfiguration } from '../src/config/load-configuration'
import { renderProblems } from '../src/config/problem'
import { createKeyQueries } from '../src/db/key-queries'
import { createLogReader, type LogReader } from '../src/db/log-reader'
import type { RequestRow } from '../src/db/log-schema'
import { openSqlite } from '../src/db/open'
import { issueKey, type NewKey } from '../src/keys/issue-key'
import { createTokenHasher } from '../src/keys/token'
import { CATALOG } from '../src/providers/catalog'
import { createSimulator } from '../src/simulator/simulator'
import { createProgramLog } from '../src/telemetry/program-log'

/** A configuration as a file would hold it; the simulator is there as the provider `sim`. */
export type HarnessOptions = {
  server?: Record<string, unknown>
  keys?: { required: boolean }
  log?: Record<string, unknown>
  failover?: Record<string, unknown>
  /** More of the provider `sim`, or with `base_url` another upstream in its place. */
  sim?: Record<string, unknown>
  providers?: Record<string, Record<string, unknown>>
  models?: Record<string, unknown>
  model_list?: string
  routes?: Record<string, unknown>
  batches?: Record<string, unknown>
  responses?: Record<string, unknown>
  budgets?: readonly unknown[]
  limits?: readonly unknown[]
  alerts?: Record<string, unknown>
  alertRetryDelaysMs?: readonly number[]
  /** Variables that references of the configuration find, beside the process's own. */
  env?: Readonly<Record<string, string>>
  /** The data directory of an earlier life; left out for a new one. */
  path?: string
}

export type Harness = Awaited<ReturnType<typeof startHarness>>

/** A gateway before a simulated provider, in this process, with a data directory of its own. */
export async function startHarness(options: HarnessOptions = {}) {
  const simulator = createSimulator()
  const path = options.path ?? mkdtempSync(join(tmpdir(), 'tollgate-test-'))
  const { directory, secret } = openDataDirectory(path)
  const programLines: string[] = []
  const configure = (changes: HarnessOptions) => configurationOf(changes, simulator.url)
  const gateway = openGateway({
    configuration: await configure(options),
    directory,
    secret,
    ...(options.alertRetryDelaysMs && { alertRetryDelaysMs: options.alertRetryDelaysMs }),
    programLog: createProgramLog({
      level: 'debug',
      format: 'json',
      write: (line: string) => void programLines.push(line),
    }),
  })
  const readLog = <T>(read: (reader: LogReader) => T): T => {
    const database = openSqlite(directory.logPath)
    try {
      return read(createLogReader(database))
    } finally {
      database.close()
    }
  }
  const rows = () => readLog((reader) => reader.newest(200))
  const makeKey = (wanted: Partial<NewKey> = {}) => {
    const database = openSqlite(directory.statePath)
    try {
      const name = wanted.name ?? `key-${Bun.randomUUIDv7()}`
      const key = { models: [], bodies: undefined, expiresAtMs: undefined, ...wanted, name }
      const issued = issueKey(
        createKeyQueries(database),
        createTokenHasher(secret),
        key,
        Date.now()
      )
      if (!issued.ok) throw new Error(issued.reason)
      return { token: issued.token, id: issued.row.id, name }
    } finally {
      database.close()
    }
  }
  let drained: Promise<number> | undefined
  const drain = (limitMs = 2_000) => (drained ??= gateway.drain(limitMs))
  return {
    simulator,
    gateway,
    directory,
    programLines,
    /** What such options configure. */
    configure,
    makeKey,
    /** The newest rows of the log, oldest first: what the log's thread has written so far. */
    rows,
    /** The first row that `wanted` takes, as soon as it is there. */
    row: (wanted: (row: RequestRow) => boolean) => until(() => rows().find(wanted)),
    /** The row of an answered request. */
    rowOf: (answer: Response) =>
      until(() => rows().find(({ id }) => id === answer.headers.get('x-request-id'))),
    bodiesOf: (id: string) => readLog((reader) => reader.findBodies(id)),
    reload: async (changes: HarnessOptions) => gateway.reload(await configure(changes)),
    /** POST of a chat completion; `body` is merged over a small request. */
    chat: (body: Record<string, unknown> = {}, init: BunFetchRequestInit = {}) =>
      fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'sim/sim-1', messages: [MESSAGE], ...body }),
        ...init,
        headers: { 'content-type': 'application/json', ...init.headers },
      }),
    /** Ends the gateway, once, but keeps its log to look at; gives how many requests were cut. */
    drain,
    async stop() {
      await drain()
      await simulator.stop()
      rmSync(path, { recursive: true, force: true })
    },
  }
}

const MESSAGE = { role: 'user', content: 'What is a tollgate?' }

async function configurationOf(options: HarnessOptions, simulatorUrl: string) {
  const sim = { type: 'openai', base_url: `${simulatorUrl}/v1`, api_key: 'none', ...options.sim }
  const text = JSON.stringify({
    server: { port: 0, ...options.server },
    keys: options.keys ?? { required: false },
    log: options.log ?? {},
    failover: options.failover ?? {},
    models: options.models ?? {},
    ...(options.model_list !== undefined && { model_list: options.model_list }),
    routes: options.routes ?? {},
    batches: options.batches ?? {},
    responses: options.responses ?? {},
    budgets: options.budgets ?? [],
    limits: options.limits ?? [],
    alerts: options.alerts ?? {},
    providers: { sim, ...options.providers },
  })
  const parsed = await parseConfiguration(text, {
    name: 'the test',
    directory: process.cwd(),
    env: { ...process.env, ...options.env },
    overrides: {},
    rows: CATALOG,
    checkModelList,
  })
  if (!parsed.ok) throw new Error(renderProblems(parsed.problems))
  return parsed.configuration
}

/** Looks again until `look` gives something, or throws after `limitMs`. */
export async function until<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 5_000
): Promise<T> {
  const dueAtMs = performance.now() + limitMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > dueAtMs) throw new Error('it did not happen in time')
    await Bun.sleep(10)
  }
}
