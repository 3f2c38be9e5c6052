import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { parseConfiguration } from '../config/load-configuration'
import { renderProblems } from '../config/problem'
import { createKeyQueries } from '../db/key-queries'
import { openSqlite } from '../db/open'
import { issueKey } from '../keys/issue-key'
import { createTokenHasher } from '../keys/token'
import { CATALOG } from '../providers/catalog'
import { createSimulator } from '../simulator/simulator'
import { createProgramLog } from '../telemetry/program-log'
import { checkModelList } from './check-model-list'
import { CommandError, type CommandOutput, EXIT, type ExitCode } from './command-line'
import type { DemoOptions } from './demo-command'
import { openGateway } from './open-gateway'
import { openServingDirectory, tryListening, untilStopped } from './serve-process'

/** Runs the gateway before a simulated provider until it is told to stop. */
export async function runDemo(options: DemoOptions, output: CommandOutput): Promise<ExitCode> {
  const temporary = options.dataDirectory === undefined
  const path = options.dataDirectory ?? mkdtempSync(join(tmpdir(), 'tollgate-demo-'))
  const simulator = createSimulator()
  try {
    const { directory, secret, lock } = openServingDirectory(path)
    const configuration = await configure(options, simulator.url)
    const token = createDemoKey(directory.statePath, secret)
    const programLog = createProgramLog({
      level: 'warn',
      format: 'text',
      write: (line) => output.error(line),
    })
    const gateway = tryListening(configuration.server, () =>
      openGateway({ configuration, directory, secret, programLog })
    )
    if (options.json) output.out(JSON.stringify({ url: gateway.url, key: token, data: path }))
    else for (const line of introduce(gateway.url, token, path)) output.out(line)
    await untilStopped()
    await gateway.drain(configuration.server.drain.limitMs)
    lock.release()
    return EXIT.ok
  } finally {
    await simulator.stop()
    if (temporary) rmSync(path, { recursive: true, force: true })
  }
}

async function configure(options: DemoOptions, simulatorUrl: string) {
  const text = JSON.stringify({
    keys: { required: true },
    log: { bodies: 'full' },
    providers: { sim: { type: 'openai', base_url: `${simulatorUrl}/v1`, api_key: 'none' } },
  })
  const parsed = await parseConfiguration(text, {
    name: 'the demo',
    directory: process.cwd(),
    env: process.env,
    overrides: { host: options.host, port: options.port },
    rows: CATALOG,
    checkModelList,
  })
  if (!parsed.ok) throw new CommandError(EXIT.configuration, renderProblems(parsed.problems))
  return parsed.configuration
}

/** A key of its own for each start, so that a data directory that is kept can be used again. */
function createDemoKey(statePath: string, secret: Uint8Array): string {
  const database = openSqlite(statePath)
  try {
    const nowMs = Date.now()
    const issued = issueKey(
      createKeyQueries(database),
      createTokenHasher(secret),
      {
        name: `demo-${new Date(nowMs).toISOString()}`,
        models: [],
        bodies: undefined,
        expiresAtMs: undefined,
      },
      nowMs
    )
    if (!issued.ok) throw new CommandError(EXIT.failed, 'the demo key could not be made')
    return issued.token
  } finally {
    database.close()
  }
}

function introduce(url: string, token: string, path: string): string[] {
  return [
    `Tollgate is listening on ${url}, in front of a simulated provider.`,
    '',
    `  virtual key   ${token}`,
    `  base URL      ${url}/v1`,
    `  data          ${path}`,
    '',
    'Try it:',
    '',
    `  curl -sN ${url}/v1/chat/completions \\`,
    `    -H 'authorization: Bearer ${token}' -H 'content-type: application/json' \\`,
    `    -d '{"model":"sim/sim-1","stream":true,"messages":[{"role":"user","content":"What is a tollgate?"}]}'`,
    '',
    'Stop it with Ctrl-C.',
  ]
}
