import { expect, test } from 'bun:test'
import { z } from 'zod'
import { valueOfSchema } from './schema-value'

const person = z.object({
  name: z.string().min(3).max(12),
  age: z.int().min(18).max(19),
  share: z.number().min(0).max(1),
  email: z.email(),
  born: z.iso.date(),
  role: z.enum(['admin', 'guest']),
  kind: z.literal('person'),
  tags: z.array(z.string()).min(2),
  nickname: z.string().nullable(),
  address: z.object({ street: z.string(), number: z.int().positive() }).optional(),
  contact: z.union([z.object({ phone: z.string() }), z.object({ post: z.string() })]),
  active: z.boolean(),
})

test('the value fits the schema, whatever the seed', () => {
  const schema = z.record(z.string(), z.unknown()).parse(z.toJSONSchema(person))
  for (let seed = 0; seed < 50; seed++)
    expect(person.safeParse(valueOfSchema(schema, seed)).error).toBeUndefined()
  expect(valueOfSchema(schema, 7)).toEqual(valueOfSchema(schema, 7))
})

test('a recursive schema ends', () => {
  const schema = {
    $ref: '#/$defs/node',
    $defs: {
      node: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          children: { type: 'array', items: { $ref: '#/$defs/node' } },
        },
        required: ['name', 'children'],
      },
    },
  }
  expect(valueOfSchema(schema, 1)).toMatchObject({ name: 'simulated name', children: [{}] })
})

test('allOf members and their references come together', () => {
  const schema = {
    allOf: [{ $ref: '#/$defs/named' }, { properties: { age: { const: 4 } }, required: ['age'] }],
    $defs: { named: { type: 'object', properties: { name: { const: 'x' } }, required: ['name'] } },
  }
  expect(valueOfSchema(schema, 1)).toEqual({ name: 'x', age: 4 })
})

test('a schema that is empty, or refers to nothing, gives something', () => {
  expect(valueOfSchema({}, 1)).toBe('simulated')
  expect(valueOfSchema({ $ref: '#/$defs/missing' }, 1)).toBeNull()
  expect(valueOfSchema({ $ref: '#' }, 1)).toBeNull()
})
