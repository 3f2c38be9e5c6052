import { expect, test } from 'bun:test'
import { parseOptions } from './options'

const KNOWN = ['saturation', 'kill']
const GATEWAY = ['--gateway', process.execPath]

test('without scenarios all are measured, each with its own rounds and seconds', () => {
  const parsed = parseOptions(GATEWAY, KNOWN)
  expect(parsed).toMatchObject({
    ok: true,
    options: { scenarios: KNOWN, gateway: [process.execPath], rounds: undefined, warmSeconds: 3 },
  })
})

test('a command may stand for the executable', () => {
  const parsed = parseOptions(['kill', '--gateway', 'bun src/main.ts', '--rounds', '4'], KNOWN)
  expect(parsed.ok && parsed.options.scenarios).toEqual(['kill'])
  expect(parsed.ok && parsed.options.rounds).toBe(4)
  expect(parsed.ok && parsed.options.gateway).toHaveLength(2)
})

test('a peer has a name, an address and a process', () => {
  const parsed = parseOptions([...GATEWAY, '--peer', 'other=http://127.0.0.1:8088/,4711'], KNOWN)
  expect(parsed.ok && parsed.options.peers).toEqual([
    { name: 'other', url: 'http://127.0.0.1:8088', pid: 4711 },
  ])
})

test.each([
  [['walk'], 'there is no scenario walk'],
  [['--rounds', '0'], '--rounds is a whole number from 1 to 1000'],
  [['--seconds', '1.5'], '--seconds is a whole number'],
  [['--gateway', '/nowhere/tollgate'], "build it with 'bun run build'"],
  [['--peer', 'http://127.0.0.1:8088'], '--peer is NAME=URL,PID'],
])('%p is refused', (args, problem) => {
  const parsed = parseOptions([...GATEWAY, ...args], KNOWN)
  expect(!parsed.ok && parsed.problem).toContain(problem)
})
