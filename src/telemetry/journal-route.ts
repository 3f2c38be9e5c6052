import { z } from 'zod'
import type { RouteFacts } from './records'

const reasonsSchema = z.array(z.tuple([z.string(), z.string()]))
const textsSchema = z.array(z.string())

const routeSchema = z
  .tuple([textsSchema, reasonsSchema, reasonsSchema, reasonsSchema, textsSchema])
  .transform(([path, candidates, excluded, passed, notes]) => ({
    ...{ path, candidates, excluded, passed, notes },
  }))

/** How many shared routes are known by their text at most: each route has one for each list of rights. */
const MOST_SHARED = 1_000

const encodedShared = new WeakMap<RouteFacts, string>()
const decodedShared = new Map<string, RouteFacts | undefined>()

/**
 * How the targets of a request were chosen, as JSON: a list, or the text of one where many requests share it, which is
 * written and read once.
 */
export function encodeRoute(facts: RouteFacts): string {
  if (!facts.isShared) return encodeList(facts)
  const known = encodedShared.get(facts)
  if (known !== undefined) return known
  const encoded = JSON.stringify(encodeList(facts))
  encodedShared.set(facts, encoded)
  return encoded
}

function encodeList({ path, candidates, excluded, passed, notes }: RouteFacts): string {
  return JSON.stringify([path, candidates, excluded, passed, notes])
}

/** The same from its field in a line; `undefined` for an unknown layout. */
export function decodeRoute(field: unknown): RouteFacts | undefined {
  return typeof field === 'string' ? decodeShared(field) : routeSchema.safeParse(field).data
}

function decodeShared(text: string): RouteFacts | undefined {
  if (decodedShared.has(text)) return decodedShared.get(text)
  const facts = routeSchema.safeParse(parse(text)).data
  if (decodedShared.size >= MOST_SHARED) decodedShared.clear()
  decodedShared.set(text, facts)
  return facts
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
