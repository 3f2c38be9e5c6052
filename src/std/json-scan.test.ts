import { describe, expect, test } from 'bun:test'

import { type JsonMember, scanJsonObject, toLineAndColumn } from './json-scan'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const NAMES = ['model', 'n', 'messages', 'o', 'a', 'b']

function scan(text: string) {
  const bytes = encoder.encode(text)
  const members: JsonMember[] = []
  const result = scanJsonObject(bytes, NAMES, (member) => members.push(member))
  const values = members.map(({ name, start, end }) => [
    name,
    decoder.decode(bytes.subarray(start, end)),
  ])
  return { result, members, values }
}

/** A generator with a fixed seed, so that a failure can be seen again. */
function createRandom(seed: number) {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % below
  }
}

function randomValue(random: (below: number) => number, depth: number): unknown {
  const kind = random(depth > 0 ? 7 : 5)
  if (kind === 0) return random(1000) - 500 + random(100) / 100
  if (kind === 1) return ['', 'a"\\/\b\f\n\r\t', 'é€𝄞', '\u0000\u001f', 'plain'][random(5)]
  if (kind === 2) return random(2) === 0
  if (kind === 3) return null
  if (kind === 4) return random(10) * 10 ** (random(60) - 30)
  if (kind === 5) return Array.from({ length: random(4) }, () => randomValue(random, depth - 1))
  return Object.fromEntries(
    Array.from({ length: random(4) }, (_, at) => [`k${at}é`, randomValue(random, depth - 1)])
  )
}

describe('scanJsonObject', () => {
  test('finds members, their bytes and the closing brace', () => {
    const text = ' {"model" : "a/b", "n":1,"messages":[{"x":"}"}],"o":{"p":[]} } \n'
    const { result, values } = scan(text)
    expect(values).toEqual([
      ['model', '"a/b"'],
      ['n', '1'],
      ['messages', '[{"x":"}"}]'],
      ['o', '{"p":[]}'],
    ])
    expect(result).toEqual({ ok: true, closeAt: text.lastIndexOf('}'), empty: false })
  })

  test('decodes keys and says which were escaped, and passes over all others', () => {
    const { members } = scan('{"mod\\u0065l":1,"é":2,"n":3,"\\u00e9":4,"models":5}')
    expect(members.map(({ name, escaped }) => [name, escaped])).toEqual([
      ['model', true],
      ['n', false],
    ])
  })

  test('accepts what JSON.parse accepts and refuses what it refuses, under random edits', () => {
    const random = createRandom(20261122)
    const alphabet = '{}[]",:\\ \n0129.eE+-truefalsnu\u0001é'
    for (let round = 0; round < 20_000; round++) {
      let text = JSON.stringify({ a: randomValue(random, 3), b: randomValue(random, 3) })
      for (let edits = random(3); edits > 0; edits--) {
        const at = random(text.length)
        const insert = alphabet[random(alphabet.length)] ?? ''
        text = text.slice(0, at) + insert + text.slice(at + random(2))
      }
      let value: unknown
      try {
        value = JSON.parse(text)
      } catch {
        value = undefined
      }
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
      expect([text, scan(text).result.ok]).toEqual([text, isObject])
    }
  })

  test.each([
    ['', 0, 'ends too early'],
    ['[]', 0, "'['"],
    ['{"a":}', 5, "'}'"],
    ['{"a":1,}', 7, "'}'"],
    ['{"a":[1,,2]}', 8, "','"],
    ['{"a":"x', 7, 'ends too early'],
    ['{"a":"\\x"}', 7, "'x'"],
    ['{"a":01}', 6, "'1'"],
    ['{"a":tru}', 8, "'}'"],
    ['{"a":1} x', 8, "'x'"],
    ['{"a":"\n"}', 6, 'byte 10'],
  ])('names the place in %p', (text, position, reason) => {
    const { result } = scan(text)
    expect(result).toMatchObject({ ok: false, position })
    expect(result.ok ? '' : result.reason).toContain(reason)
  })

  test('refuses nesting beyond its limit instead of overflowing the stack', () => {
    expect(scan(`{"a":${'['.repeat(100_000)}`).result.ok).toBe(false)
    expect(scan(`{"a":${'['.repeat(400)}${']'.repeat(400)}}`).result.ok).toBe(true)
  })
})

test('toLineAndColumn counts from one', () => {
  expect(toLineAndColumn(encoder.encode('{\n  "a": x'), 9)).toEqual({ line: 2, column: 8 })
})
