import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'

import { type Floor, startFloor } from './sdks'

const SUITE = join(import.meta.dir, 'openai_suite.py')
const SUITE_LIMIT_MS = 60_000

const MODES = ['sync', 'async']
const CHECKS = [
  'chat_whole',
  'chat_streamed',
  'chat_streamed_with_usage',
  'chat_stream_helper',
  'tools_whole',
  'tools_streamed',
  'tools_in_parallel',
  'tools_result_turn',
  'json_mode',
  'json_schema',
  'completions',
  'embeddings',
  'models',
  'errors_by_status',
  'errors_of_keys',
  'errors_in_streams',
  'leaving_a_stream',
  'leaving_a_whole_answer',
  'retries_only_what_may_help',
]

/** The Python to run the suite with: the one that was named, or one that has the SDK already. */
function findPython(): string | undefined {
  const named = process.env['TOLLGATE_TEST_PYTHON']
  if (named) return named
  const found = Bun.which('python3')
  if (!found) return undefined
  const { success } = Bun.spawnSync([found, '-c', 'import openai'], { stderr: 'ignore' })
  return success ? found : undefined
}

const python = findPython()

if (python !== undefined) describe('the Python SDK', () => testWith(python))
else if (process.env['CI'] === 'true')
  test('a Python with the SDK is there', () => {
    throw new Error('set TOLLGATE_TEST_PYTHON to a Python that has test/sdk/requirements.txt')
  })
else
  test.skip('the Python SDK: no python3 has the package openai; see TOLLGATE_TEST_PYTHON', () => {})

/** `sync models` of `ok sync models` and of `failed sync models: why`. */
function nameOf(line: string): string {
  return line.split(/[ :]/, 3).slice(1).join(' ')
}

function testWith(interpreter: string) {
  let floor: Floor
  let lines: string[] = []
  let complaint = ''

  beforeAll(async () => {
    floor = await startFloor()
    const places = {
      base_url: floor.baseUrl,
      key: floor.key,
      narrow_key: floor.narrowKey,
      simulator_url: floor.simulator.url,
      models: ['sim/sim-1', 'sim/sim-embed-1', 'sim/family/sim-1'],
    }
    const suite = Bun.spawn([interpreter, SUITE], {
      stdin: new Blob([JSON.stringify(places)]),
      stdout: 'pipe',
      stderr: 'pipe',
      timeout: SUITE_LIMIT_MS,
    })
    const [output, errors] = await Promise.all([suite.stdout.text(), suite.stderr.text()])
    lines = output.trim().split('\n')
    complaint = errors
    await suite.exited
  }, SUITE_LIMIT_MS + 10_000)
  afterAll(() => floor.stop())

  test('the suite says nothing else, and runs to its end', () => {
    expect(complaint).toBe('')
    const expected = MODES.flatMap((mode) => CHECKS.map((name) => `${mode} ${name}`))
    expect(lines.map(nameOf)).toEqual(expected)
  })

  describe.each(MODES)('%s', (mode) => {
    test.each(CHECKS)('%s', (name) => {
      const line = lines.find((candidate) => nameOf(candidate) === `${mode} ${name}`)
      expect(line).toBe(`ok ${mode} ${name}`)
    })
  })
}
