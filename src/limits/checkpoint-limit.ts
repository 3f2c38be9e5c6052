import { z } from 'zod'
import { LIMIT_UNITS, type Limit } from './limit'
import { WINDOW_UNITS } from './window'

const windowSchema = z.union([
  z.object({ kind: z.literal('rolling'), durationMs: z.number() }),
  z.object({ kind: z.literal('once') }),
  z.object({
    kind: z.literal('calendar'),
    unit: z.enum(WINDOW_UNITS),
    count: z.number(),
    timezone: z.string(),
    weekStart: z.enum(['monday', 'sunday']),
  }),
])

/** What a checkpoint says of a limit: enough to count it again. */
export const checkpointLimitSchema = z.object({
  id: z.string(),
  unit: z.enum(LIMIT_UNITS),
  window: windowSchema,
  unknownPrice: z.union([z.literal('refuse'), z.literal('allow'), z.number()]),
  /** As written; left out for one that a key, team or organization has of its own. */
  subject: z.string().optional(),
})

/** Reads what a checkpoint says of its limits. Throws where it was not written by us. */
export function readCheckpointLimits(json: string): CheckpointLimit[] {
  return z.array(checkpointLimitSchema).parse(JSON.parse(json))
}

export type CheckpointLimit = z.infer<typeof checkpointLimitSchema>

/** A limit as a checkpoint says it. */
export function toCheckpointLimit(
  limit: Pick<Limit, 'id' | 'unit' | 'window' | 'unknownPrice'> & Partial<Pick<Limit, 'subject'>>
): CheckpointLimit {
  const { id, unit, window, unknownPrice, subject } = limit
  return { id, unit, window, unknownPrice, ...(subject && { subject: subject.text }) }
}
