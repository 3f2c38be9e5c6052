import { describe, expect, test } from 'bun:test'

import type { JsonObject } from '../json'
import { isSchema, toJsonSchema } from './schema'

describe("Google's schema becomes JSON Schema", () => {
  test.each<[string, JsonObject, JsonObject]>([
    ['types', { type: 'STRING' }, { type: 'string' }],
    ['nothing for null', { type: 'INTEGER', nullable: true }, { type: ['integer', 'null'] }],
    [
      'an enumeration',
      { type: 'STRING', format: 'enum', enum: ['A', 'B'], nullable: true },
      { type: ['string', 'null'], enum: ['A', 'B', null] },
    ],
    [
      'alternatives',
      { any_of: [{ type: 'STRING' }, { type: 'NUMBER' }], nullable: true },
      { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'null' }] },
    ],
    [
      'counts as texts',
      { type: 'ARRAY', items: { type: 'STRING' }, min_items: '1', maxItems: 3 },
      { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 3 },
    ],
    ['an example', { type: 'STRING', example: 'x' }, { type: 'string', examples: ['x'] }],
  ])('%s', (_, schema, expected) => {
    expect(toJsonSchema(schema)).toEqual(expected)
  })

  test('with its properties in the order that is asked for', () => {
    const schema = toJsonSchema({
      type: 'OBJECT',
      properties: { a: { type: 'STRING' }, type: { type: 'OBJECT' }, c: { type: 'NUMBER' } },
      propertyOrdering: ['c', 'missing', 'type'],
      required: ['a'],
    })
    expect(JSON.stringify(schema)).toBe(
      '{"type":"object","properties":{"c":{"type":"number"},"type":{"type":"object"},"a":{"type":"string"}},"required":["a"]}'
    )
  })
})

describe('JSON Schema goes as a schema', () => {
  const object = (properties: JsonObject): JsonObject => ({ type: 'object', properties })
  test.each<[string, JsonObject]>([
    [
      'plain',
      object({ a: { type: 'string', description: 'x' }, b: { type: 'integer', minimum: 1 } }),
    ],
    ['with lists', object({ a: { type: 'array', items: { type: 'number' }, minItems: 1 } })],
    [
      'with choices',
      object({ a: { type: 'string', enum: ['x'] }, b: { anyOf: [{ type: 'string' }] } }),
    ],
    ['with a date', object({ a: { type: 'string', format: 'date-time' } })],
  ])('%s, and is read as the same', (_, schema) => {
    expect(isSchema(schema)).toBe(true)
    expect(toJsonSchema(schema)).toEqual(schema)
  })

  test.each<[string, JsonObject]>([
    ['no properties', { type: 'object' }],
    ['empty properties', object({})],
    ['references', object({ a: { $ref: '#/$defs/a' } })],
    ['closed objects', { ...object({ a: { type: 'string' } }), additionalProperties: false }],
    ['several types', object({ a: { type: ['string', 'null'] } })],
    ['numbers to choose', object({ a: { type: 'integer', enum: [1] } })],
    ['unknown formats', object({ a: { type: 'string', format: 'uuid' } })],
    ['lists of anything', object({ a: { type: 'array' } })],
    ['anything', {}],
    ['a schema that is true', object({ a: true })],
  ])('but not with %s', (_, schema) => {
    expect(isSchema(schema)).toBe(false)
  })
})
