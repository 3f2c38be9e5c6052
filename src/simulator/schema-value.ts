import { isRecord } from '../std/record'
import { randomAt, seedOf } from './seed'

/** Deeper than this, objects keep to their required properties, so that recursive schemas end. */
const OPTIONAL_DEPTH = 3
const MOST_DEPTH = 16
const MOST_ITEMS = 256

type Schema = Record<string, unknown>
type Place = { root: Schema; path: string; depth: number; seed: number }

/** A value that fits a JSON schema: the same schema and seed give the same value. */
export function valueOfSchema(schema: Schema, seed: number): unknown {
  return valueAt(schema, { root: schema, path: '', depth: 0, seed })
}

function valueAt(schema: unknown, place: Place): unknown {
  if (!isRecord(schema) || place.depth > MOST_DEPTH) return null
  if ('const' in schema) return schema['const']
  if (Array.isArray(schema['enum'])) return pick(schema['enum'], place)
  if (typeof schema['$ref'] === 'string')
    return valueAt(resolve(place.root, schema['$ref']), { ...place, depth: place.depth + 1 })
  for (const union of ['anyOf', 'oneOf']) {
    const members = schema[union]
    if (Array.isArray(members)) return valueAt(members.find(isNotNull) ?? members[0], place)
  }
  if (Array.isArray(schema['allOf'])) return valueAt(merge(schema, schema['allOf'], place), place)
  switch (typeOf(schema)) {
    case 'object':
      return objectAt(schema, place)
    case 'array':
      return arrayAt(schema, place)
    case 'integer':
      return Math.round(numberAt(schema, place, 1))
    case 'number':
      return numberAt(schema, place, 0.5)
    case 'boolean':
      return randomAt(place.seed, seedOf(place.path)) < 0.5
    case 'null':
      return null
    default:
      return stringAt(schema, place)
  }
}

function objectAt(schema: Schema, place: Place): Schema {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {}
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const value: Schema = {}
  for (const [name, property] of Object.entries(properties)) {
    if (place.depth >= OPTIONAL_DEPTH && !required.includes(name)) continue
    value[name] = valueAt(property, below(place, name))
  }
  return value
}

function arrayAt(schema: Schema, place: Place): unknown[] {
  const { minItems } = schema
  const length =
    typeof minItems === 'number'
      ? Math.min(minItems, MOST_ITEMS)
      : place.depth >= OPTIONAL_DEPTH
        ? 0
        : 1
  return Array.from({ length }, (_, index) =>
    valueAt(schema['items'] ?? { type: 'string' }, below(place, String(index)))
  )
}

function numberAt(schema: Schema, place: Place, unit: number): number {
  const step = numeric(schema['multipleOf']) ?? unit
  const low = numeric(schema['minimum']) ?? above(numeric(schema['exclusiveMinimum']), step) ?? 0
  const high =
    numeric(schema['maximum']) ??
    above(numeric(schema['exclusiveMaximum']), -step) ??
    low + step * 100
  const first = Math.ceil(low / step)
  const steps = Math.max(0, Math.floor(high / step) - first)
  const random = randomAt(place.seed, seedOf(place.path))
  return (first + Math.floor(random * (steps + 1))) * step
}

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-01-31T09:30:00Z',
  date: '2026-01-31',
  time: '09:30:00Z',
  duration: 'PT1H',
  email: 'person@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
}

function stringAt(schema: Schema, place: Place): string {
  const format = schema['format']
  const known = typeof format === 'string' ? FORMATS[format] : undefined
  if (known !== undefined) return known
  const text = `simulated ${place.path.split('/').at(-1) ?? 'text'}`.trim()
  const short = text.slice(0, numeric(schema['maxLength']) ?? text.length)
  return short.padEnd(numeric(schema['minLength']) ?? 0, '.')
}

function typeOf(schema: Schema): unknown {
  const { type } = schema
  if (Array.isArray(type)) return type.find((name) => name !== 'null') ?? 'null'
  if (type !== undefined) return type
  if ('properties' in schema) return 'object'
  return 'items' in schema ? 'array' : 'string'
}

/** `allOf` of objects as one object: properties and required names together, the last word wins. */
function merge(schema: Schema, members: unknown[], place: Place): Schema {
  const { allOf: _, ...merged } = schema
  for (const member of members) {
    const resolved =
      isRecord(member) && typeof member['$ref'] === 'string'
        ? resolve(place.root, member['$ref'])
        : member
    if (!isRecord(resolved)) continue
    const properties = { ...record(merged['properties']), ...record(resolved['properties']) }
    const required = [...list(merged['required']), ...list(resolved['required'])]
    Object.assign(merged, resolved)
    if (Object.keys(properties).length > 0) Object.assign(merged, { properties, required })
  }
  return merged
}

/** A reference inside the document: `#/$defs/name`, or `#` for the whole. */
function resolve(root: Schema, reference: string): unknown {
  let at: unknown = root
  for (const part of reference.replace(/^#\/?/, '').split('/').filter(Boolean)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    at = isRecord(at) ? at[name] : undefined
  }
  return at
}

function pick(values: unknown[], place: Place): unknown {
  return values[Math.floor(randomAt(place.seed, seedOf(place.path)) * values.length)]
}

function below(place: Place, name: string): Place {
  return { ...place, path: `${place.path}/${name}`, depth: place.depth + 1 }
}

function isNotNull(schema: unknown): boolean {
  return !(isRecord(schema) && schema['type'] === 'null')
}

function numeric(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function above(value: number | undefined, step: number): number | undefined {
  return value === undefined ? undefined : value + step
}

function record(value: unknown): Schema {
  return isRecord(value) ? value : {}
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
