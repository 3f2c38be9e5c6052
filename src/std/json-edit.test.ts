import { describe, expect, test } from 'bun:test'

import { cutJsonMember, setJsonMembers } from './json-edit'
import { scanJsonObject } from './json-scan'

const encode = (text: string) => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

const edit = (text: string, values: Record<string, string | undefined>) =>
  decode(setJsonMembers(encode(text), new Map(Object.entries(values))))

describe('setJsonMembers', () => {
  test.each([
    ['a value in its place', '{ "b" : 1.50, "a":0 }', { b: '2' }, '{ "b" : 2, "a":0 }'],
    ['one that is not there', '{"a":1}', { b: '[2]' }, '{"a":1,"b":[2]}'],
    ['the first of all', '{ }', { b: 'true' }, '{ "b":true}'],
    ['several at once', '{"a":1,"b":2}', { b: '3', c: '4', a: '5' }, '{"a":5,"b":3,"c":4}'],
    ['a key with escapes', '{"\\u0061":1}', { a: '2' }, '{"\\u0061":2}'],
    ['each that stands twice', '{"a":1,"a":2}', { a: '3' }, '{"a":3,"a":3}'],
    ['nothing of what stands deeper', '{"x":{"a":1}}', { a: '2' }, '{"x":{"a":1},"a":2}'],
    ['the first taken out', '{ "a" : 1 , "b":2}', { a: undefined }, '{ "b":2}'],
    ['the last taken out', '{"b":2 , "a": [1] }', { a: undefined }, '{"b":2  }'],
    ['the only one taken out', '{"a":1}', { a: undefined }, '{}'],
    ['all taken out', '{"a":1,"b":2}', { a: undefined, b: undefined }, '{}'],
    ['both of two taken out', '{"a":1,"b":2,"a":3}', { a: undefined }, '{"b":2}'],
    ['what is not there taken out', '{"b":2}', { a: undefined }, '{"b":2}'],
    ['a key with a quote taken out', '{"b":2,"a\\"":1}', { 'a"': undefined }, '{"b":2}'],
    ['ünïcode around it', '{"ü":"ï","a":1,"é":"è"}', { a: '"ø"' }, '{"ü":"ï","a":"ø","é":"è"}'],
  ])('changes %s', (_, text, values, wanted) => {
    expect(edit(text, values)).toBe(wanted)
    expect(() => void JSON.parse(wanted)).not.toThrow()
  })

  test('leaves what is no object as it is', () => {
    expect(edit('[1]', { a: '2' })).toBe('[1]')
  })
})

describe('cutJsonMember', () => {
  test.each([
    ['{"a":1,"cut":[1,{"x":"]"}],"b":2}', '{"a":1,"b":2}'],
    ['{"cut" : null\n,\n"b":2}', '{"b":2}'],
    ['{"a":1,\t"cut":"x"}', '{"a":1}'],
  ])('%s', (text, wanted) => {
    const bytes = encode(text)
    let span = { start: 0, end: 0 }
    scanJsonObject(bytes, ['cut'], (member) => {
      span = member
    })
    expect(decode(cutJsonMember(bytes, span))).toBe(wanted)
  })
})
