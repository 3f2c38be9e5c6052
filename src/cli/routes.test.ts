import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { runCommandLine } from './program'

const directory = mkdtempSync(join(tmpdir(), 'tollgate-routes-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const CONFIGURATION = `
providers:
  a: { type: openai, base_url: "https://a.example/v1", api_key: none }
  b: { type: openai, base_url: "https://b.example/v1", api_key: none }
models:
  a/x: { abilities: [vision] }
routes:
  smart: { targets: [a/x, b/x] }
  office:
    strategy: conditional
    rules:
      - { when: 'budget_remaining("team/" + team) < 5', use: a/x }
      - { when: 'hour >= 18 && headers["x-want"] == "b"', use: b/x }
      - { when: 'estimated_tokens > 5000', use: b/long }
    else: smart
  drawn: { strategy: weighted, targets: [{ model: a/x, weight: 9 }, b/x] }
  quick:
    { targets: [a/x, b/x], affinity: false, continue_streams: true, hedge: { after: 2s, max_percent: 5 } }
`

function write(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

async function run(...args: string[]) {
  const lines: string[] = []
  const errors: string[] = []
  const config = write('tollgate.yaml', CONFIGURATION)
  const code = await runCommandLine(['routes', ...args, '--config', config], {
    out: (line) => void lines.push(line),
    error: (line) => void errors.push(line),
  })
  return { code, lines, errors }
}

test('routes list shows each with all its targets', async () => {
  const { code, lines } = await run('list')
  expect(code).toBe(0)
  expect(lines[0]?.split(/\s+/)).toEqual(['NAME', 'STRATEGY', 'TARGETS', 'BEYOND'])
  expect(lines[2]).toMatch(/^office +conditional +a\/x, b\/x, b\/long +-$/)
  expect(lines[4]).toEndWith('  hedges after 2000 ms, 5 % at most; continues streams; no affinity')
  const { lines: json } = await run('list', '--json')
  expect(JSON.parse(json[0] ?? '')).toContainEqual({
    ...{ name: 'drawn', strategy: 'weighted', targets: ['a/x', 'b/x'] },
    ...{ affinity: true, continue_streams: false, hedge: null },
  })
})

test('routes test takes what is as expected', async () => {
  const cases = `
- { name: plain, model: smart, targets: [a/x, b/x], excluded: [] }
- { name: tools, model: smart, body: { tools: [{ type: function }] }, targets: [b/x], excluded: [a/x] }
- { model: office, team: red, budget_remaining: { team/red: 3 }, targets: [a/x] }
- { model: office, headers: { X-Want: b }, time: '2030-01-01T20:00:00Z', targets: [b/x] }
- { model: office, input_tokens: 6000, targets: [b/long] }
- { model: office, body: { fallbacks: [b/y] }, targets: [a/x, b/x, b/y] }
- { model: a/other, targets: [a/other] }
`
  const { code, lines } = await run('test', write('cases.yaml', cases))
  expect(lines).toEqual(['7 cases, 0 failed.'])
  expect(code).toBe(0)
})

test('routes test draws the same for the same seed', async () => {
  const cases = Array.from({ length: 50 }, (_, seed) => ({ model: 'drawn', seed, targets: [] }))
  const file = write('drawn.json', JSON.stringify(cases))
  const draw = async () => (await run('test', file, '--json')).lines
  expect(await draw()).toEqual(await draw())
})

test('routes test tells how a plan differs, and exits with 1', async () => {
  const cases = `
- { name: tools, model: smart, body: { tools: [{ type: function }] }, targets: [a/x, b/x] }
- { name: right, model: smart, targets: [a/x, b/x] }
- { name: nobody, model: nobody/x, targets: [a/x] }
`
  const { code, lines } = await run('test', write('wrong.yaml', cases))
  expect(code).toBe(1)
  expect(lines).toEqual([
    'FAIL tools',
    '  expected  a/x, b/x',
    '  found     b/x (1st in order)',
    '  left out  a/x: it can call no tools',
    '  by        smart: fallback',
    'FAIL nobody',
    '  expected  a/x',
    expect.stringContaining("  refused   no provider is known to serve the model 'nobody/x'"),
    '3 cases, 2 failed.',
  ])
})

test.each([
  ['- { model: smart, targets: [a/x], tema: red }', 'tema'],
  ['[]', 'wrong.yaml'],
])('routes test refuses cases that are none: %s', async (cases, says) => {
  const { code, errors } = await run('test', write('wrong.yaml', cases))
  expect(code).toBe(2)
  expect(errors.join('\n')).toContain(says)
})

test('routes test needs its file', async () => {
  expect((await run('test', join(directory, 'none.yaml'))).code).toBe(6)
})
