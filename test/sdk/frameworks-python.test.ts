import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'

import { type Floor, startUpstreams, UPSTREAMS } from './upstreams'

const SUITE = join(import.meta.dir, 'frameworks_suite.py')
const SUITE_LIMIT_MS = 120_000

const CHECKS = [
  'anthropic_whole',
  'anthropic_streamed',
  'anthropic_tools',
  'anthropic_errors',
  'langchain_whole',
  'langchain_streamed',
  'langchain_tools',
  'llama_index_whole',
  'llama_index_streamed',
]

/** The Python to run the suite with: the one that was named, or one that has all that it imports. */
function findPython(): string | undefined {
  const named = process.env['TOLLGATE_TEST_FRAMEWORKS_PYTHON']
  if (named) return named
  const found = Bun.which('python3')
  if (!found) return undefined
  const imports = 'import anthropic, langchain_openai, llama_index.llms.openai_like'
  return Bun.spawnSync([found, '-c', imports], { stderr: 'ignore' }).success ? found : undefined
}

const python = findPython()

if (python !== undefined) describe('Python SDKs and frameworks', () => testWith(python))
else if (process.env['CI'] === 'true')
  test('a Python with the SDKs is there', () => {
    throw new Error(
      'set TOLLGATE_TEST_FRAMEWORKS_PYTHON to a Python that has test/sdk/frameworks-requirements.txt'
    )
  })
else test.skip('Python SDKs and frameworks; see TOLLGATE_TEST_FRAMEWORKS_PYTHON', () => {})

function testWith(interpreter: string) {
  let floor: Floor
  let lines: string[] = []
  let complaint = ''

  beforeAll(async () => {
    floor = await startUpstreams()
    const places = { url: floor.gateway.url, key: floor.key, upstreams: UPSTREAMS }
    const suite = Bun.spawn([interpreter, '-W', 'ignore', SUITE], {
      stdin: new Blob([JSON.stringify(places)]),
      stdout: 'pipe',
      stderr: 'pipe',
      timeout: SUITE_LIMIT_MS,
    })
    const [output, errors] = await Promise.all([suite.stdout.text(), suite.stderr.text()])
    lines = output.trim().split('\n')
    if ((await suite.exited) !== 0) complaint = errors
  }, SUITE_LIMIT_MS + 10_000)
  afterAll(() => floor.stop())

  test('the suite runs to its end', () => {
    expect(complaint).toBe('')
    expect(lines).toHaveLength(UPSTREAMS.length * CHECKS.length)
  })

  describe.each([...UPSTREAMS])('%s', (upstream) => {
    test.each(CHECKS)('%s', (name) => {
      const wanted = ` ${upstream} ${name}`
      const line = lines.find((candidate) => candidate.includes(wanted))
      expect(line).toBe(`ok${wanted}`)
    })
  })
}
