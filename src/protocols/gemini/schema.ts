import type { JsonObject, JsonValue } from '../json'
import { asList, asObject } from './members'

/**
 * Google's `Schema`, a dialect of OpenAPI 3.0, to and from JSON Schema. https://ai.google.dev/api/caching#Schema
 */

/** `Schema` in either spelling, and in JSON Schema. The counts are 64-bit integers, which may be written as texts. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['any_of', 'anyOf'],
  ['min_items', 'minItems'],
  ['max_items', 'maxItems'],
  ['min_length', 'minLength'],
  ['max_length', 'maxLength'],
  ['min_properties', 'minProperties'],
  ['max_properties', 'maxProperties'],
  ['property_ordering', 'propertyOrdering'],
])

const COUNTS: ReadonlySet<string> = new Set([
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'minProperties',
  'maxProperties',
])

/**
 * JSON Schema of a `Schema`: types in lower case, `nullable` as the type `null`, the order of properties as they
 * stand. A member that is not known stays.
 */
export function toJsonSchema(schema: JsonObject): JsonObject {
  const json: JsonObject = {}
  let isNullable = false
  let ordering: JsonValue[] = []
  for (const spelled in schema) {
    const value = schema[spelled]
    const name = RENAMED.get(spelled) ?? spelled
    if (name === 'nullable') isNullable = value === true
    else if (name === 'propertyOrdering') ordering = asList(value)
    else if (name === 'type' && typeof value === 'string') json.type = value.toLowerCase()
    else if (name === 'example') json.examples = value === undefined ? [] : [value]
    else if (name === 'format' && value === 'enum') continue
    else if (COUNTS.has(name) && typeof value === 'string') json[name] = Number(value)
    else json[name] = toInnerSchema(name, value)
  }
  const properties = asObject(json.properties)
  if (properties && ordering.length > 0) json.properties = inOrder(properties, ordering)
  return isNullable ? toNullable(json) : json
}

function toInnerSchema(name: string, value: JsonValue | undefined): JsonValue | undefined {
  const object = asObject(value)
  if (name === 'items' && object) return toJsonSchema(object)
  if (name === 'anyOf')
    return asList(value).map((entry) => {
      const inner = asObject(entry)
      return inner ? toJsonSchema(inner) : entry
    })
  if (name !== 'properties' || object === undefined) return value
  const properties: JsonObject = {}
  for (const property in object) {
    const inner = asObject(object[property])
    properties[property] = inner ? toJsonSchema(inner) : object[property]
  }
  return properties
}

function inOrder(properties: JsonObject, ordering: readonly JsonValue[]): JsonObject {
  const ordered: JsonObject = {}
  for (const name of ordering)
    if (typeof name === 'string' && Object.hasOwn(properties, name))
      ordered[name] = properties[name]
  return { ...ordered, ...properties }
}

function toNullable(schema: JsonObject): JsonObject {
  const { type, ...rest } = schema
  const nullable: JsonObject =
    typeof type === 'string' ? { type: [type, 'null'], ...rest } : { ...schema }
  if (Array.isArray(schema.anyOf)) nullable.anyOf = [...schema.anyOf, { type: 'null' }]
  if (Array.isArray(schema.enum)) nullable.enum = [...schema.enum, null]
  return nullable
}

/** What a `Schema` says just as JSON Schema does. */
const SHARED: ReadonlySet<string> = new Set([
  'type',
  'title',
  'description',
  'properties',
  'required',
  'items',
  'enum',
  'anyOf',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'pattern',
  'format',
])

/** Formats that are not refused, by type. */
const FORMATS: Readonly<Record<string, readonly string[]>> = {
  string: ['date-time'],
  number: ['float', 'double'],
  integer: ['int32', 'int64'],
}

const TYPES: ReadonlySet<string> = new Set([
  'string',
  'number',
  'integer',
  'boolean',
  'array',
  'object',
])

/**
 * The JSON Schema is a `Schema` as it stands, and would be read as the same. Then it goes as one, which all models
 * and hosts take; else it goes as JSON Schema, which came later. Google refuses an object without properties, an
 * enumeration of what is not text, and formats that it doesn't know.
 */
export function isSchema(schema: JsonObject): boolean {
  const { type, format } = schema
  for (const name in schema) if (!SHARED.has(name)) return false
  if (type === undefined ? schema.anyOf === undefined : !isType(type)) return false
  if (typeof type === 'string' && format !== undefined)
    if (!FORMATS[type]?.some((known) => known === format)) return false
  if (format !== undefined && type === undefined) return false
  if (type === 'array' && schema.items === undefined) return false
  if (schema.enum !== undefined && !isTextEnum(schema)) return false
  if (schema.items !== undefined && !isInner(schema.items)) return false
  if (schema.anyOf !== undefined && !(Array.isArray(schema.anyOf) && schema.anyOf.every(isInner)))
    return false
  return type === 'object' ? hasProperties(schema) : schema.properties === undefined
}

function isType(type: JsonValue): boolean {
  return typeof type === 'string' && TYPES.has(type)
}

function isTextEnum({ type, enum: values }: JsonObject): boolean {
  return (
    type === 'string' && Array.isArray(values) && values.every((value) => typeof value === 'string')
  )
}

function isInner(value: JsonValue | undefined): boolean {
  const schema = asObject(value)
  return schema !== undefined && isSchema(schema)
}

function hasProperties(schema: JsonObject): boolean {
  const properties = asObject(schema.properties)
  if (properties === undefined) return false
  const names = Object.keys(properties)
  return names.length > 0 && names.every((name) => isInner(properties[name]))
}
