import { GatewayError } from '../../errors/gateway-error'
import { stringOf } from '../../std/record'
import type { JsonObject, JsonValue } from '../json'
import { asList, asObject } from './members'

/** More elements than a list of arguments has; bounds what a broken upstream can make us hold. */
const MAX_INDEX = 65_535

type Key = string | number

/**
 * Puts together the arguments of a call that come value by value, each with its JSON path; a text may come in pieces.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc-args
 */
export class ArgumentAssembler {
  readonly #root: JsonObject
  /** The path of a text that goes on in the next piece. */
  #growing: string | undefined

  constructor(args: JsonObject | undefined) {
    this.#root = { ...args }
  }

  /** Takes `partialArgs` of a frame. Throws `upstream_malformed` for a path that is none. */
  add(partialArgs: JsonValue | undefined): void {
    for (const json of asList(partialArgs)) {
      const piece = asObject(json)
      const path = stringOf(piece, 'jsonPath')
      if (piece === undefined || path === undefined) continue
      const value = valueOf(piece)
      if (value !== undefined) {
        const isMore = this.#growing === path && typeof value === 'string'
        setAt(this.#root, parsePath(path), value, isMore)
      }
      this.#growing = piece.willContinue === true ? path : undefined
    }
  }

  /** The arguments so far, as JSON. */
  toJson(): string {
    return JSON.stringify(this.#root)
  }
}

function valueOf(piece: JsonObject): JsonValue | undefined {
  if ('nullValue' in piece) return null
  return piece.stringValue ?? piece.numberValue ?? piece.boolValue
}

/** `$.recipe.steps[0]['a.b']` as its keys (RFC 9535, the normal form of a single value). */
export function parsePath(path: string): Key[] {
  const keys: Key[] = []
  const step = /\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/y
  step.lastIndex = path.startsWith('$') ? 1 : 0
  while (step.lastIndex < path.length) {
    const [, name, index, single, double] = step.exec(path) ?? []
    const quoted = (single ?? double)?.replaceAll(/\\(.)/g, '$1')
    const key = index === undefined ? (name ?? quoted) : Number(index)
    if (key === undefined || (typeof key === 'number' && key > MAX_INDEX)) throw malformed(path)
    keys.push(key)
  }
  if (keys.length === 0) throw malformed(path)
  return keys
}

function setAt(root: JsonObject, keys: readonly Key[], value: JsonValue, isMore: boolean): void {
  let holder: JsonObject | JsonValue[] = root
  keys.forEach((key, at) => {
    const before = read(holder, key)
    if (at === keys.length - 1) {
      write(holder, key, isMore && typeof before === 'string' ? `${before}${String(value)}` : value)
      return
    }
    const isHolder = typeof before === 'object' && before !== null
    const next = isHolder ? before : typeof keys[at + 1] === 'number' ? [] : {}
    if (!isHolder) write(holder, key, next)
    holder = next
  })
}

function read(holder: JsonObject | JsonValue[], key: Key): JsonValue | undefined {
  if (Array.isArray(holder)) return typeof key === 'number' ? holder[key] : undefined
  return Object.hasOwn(holder, key) ? holder[key] : undefined
}

function write(holder: JsonObject | JsonValue[], key: Key, value: JsonValue): void {
  if (Array.isArray(holder)) {
    if (typeof key !== 'number') throw malformed(key)
    while (holder.length < key) holder.push(null)
    holder[key] = value
    return
  }
  // Defined, not assigned: a model may well call an argument `__proto__`.
  const member = { value, writable: true, enumerable: true, configurable: true }
  Object.defineProperty(holder, key, member)
}

function malformed(path: string): GatewayError {
  return new GatewayError(
    'upstream_malformed',
    `the provider sent an argument of a call at a path that is none: ${path.slice(0, 120)}`
  )
}
