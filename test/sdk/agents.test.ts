import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { until } from '../harness'
import { type Floor, startUpstreams, UPSTREAMS } from './upstreams'

/**
 * Coding agents as they are installed, offline, each through one round of a tool: the simulator calls a tool of
 * theirs, they run it, and its answer quotes what came of that.
 */

const AGENT_LIMIT_MS = 60_000

type Agent = {
  name: string
  /** The variable that names its executable. */
  variable: string
  /** The client API that it speaks. */
  api: string
  command(model: string): string[]
  environment(floor: Floor): Record<string, string>
}

const AGENTS: Agent[] = [
  {
    name: 'Claude Code',
    variable: 'TOLLGATE_TEST_CLAUDE',
    api: 'anthropic-messages',
    command: (model) => [
      ...['-p', 'Say hello', '--model', model],
      ...['--output-format', 'json', '--dangerously-skip-permissions'],
    ],
    environment: ({ url, key }) => ({
      ANTHROPIC_BASE_URL: `${url}/anthropic`,
      ANTHROPIC_AUTH_TOKEN: key,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      // It refuses to skip permissions as root outside of one.
      IS_SANDBOX: '1',
    }),
  },
  {
    name: 'Codex',
    variable: 'TOLLGATE_TEST_CODEX',
    api: 'openai-responses',
    command: (model) => [
      ...['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox'],
      ...['-c', 'model_provider="tollgate"', '-m', model, 'Say hello'],
    ],
    environment: ({ key }) => ({ TOLLGATE_KEY: key }),
  },
]

for (const agent of AGENTS) {
  const executable = process.env[agent.variable]
  if (executable) describe(agent.name, () => testWith(agent, executable))
  else if (process.env['CI'] === 'true')
    test(`${agent.name} is there`, () => {
      throw new Error(`set ${agent.variable} to its executable`)
    })
  else test.skip(`${agent.name}; see ${agent.variable}`, () => {})
}

function testWith(agent: Agent, executable: string) {
  let floor: Floor
  const home = mkdtempSync(join(tmpdir(), 'tollgate-agent-'))

  beforeAll(async () => {
    floor = await startUpstreams()
    await Bun.write(
      join(home, 'config.toml'),
      `[model_providers.tollgate]
name = "tollgate"
base_url = "${floor.url}/v1"
env_key = "TOLLGATE_KEY"
wire_api = "responses"
`
    )
  })
  afterAll(async () => {
    await floor.stop()
    rmSync(home, { recursive: true, force: true })
  })

  test.each([...UPSTREAMS])(
    'goes through a tool loop before %s',
    async (upstream) => {
      const model = `${upstream}/sim-1`
      const work = mkdtempSync(join(home, 'work-'))
      const child = Bun.spawn([executable, ...agent.command(model)], {
        cwd: work,
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: home,
          CODEX_HOME: home,
          ...agent.environment(floor),
        },
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'pipe',
        timeout: AGENT_LIMIT_MS,
      })
      const [output] = await Promise.all([child.stdout.text(), child.stderr.text()])
      expect(await child.exited).toBe(0)
      expect(output).toContain('The tool answered')
      const rows = await until(() => {
        const own = floor.rows().filter((row) => row.requestedModel === model)
        return own.length >= 2 && own
      })
      expect(rows.map(({ api, status }) => [api, status])).toEqual(rows.map(() => [agent.api, 200]))
    },
    AGENT_LIMIT_MS
  )
}
