import { z } from 'zod'
import type { RouteFacts } from './records'

const reasonsSchema = z.array(z.tuple([z.string(), z.string()]))
const textsSchema = z.array(z.string())

const routeSchema = z
  .tuple([textsSchema, reasonsSchema, reasonsSchema, reasonsSchema, textsSchema])
  .transform(([path, candidates, excluded, passed, notes]) => ({
    ...{ path, candidates, excluded, passed, notes },
  }))

/** How the targets of a request were chosen, from its fields in a line; `undefined` for an unknown layout. */
export function decodeRoute(fields: unknown): RouteFacts | undefined {
  return routeSchema.safeParse(fields).data
}
