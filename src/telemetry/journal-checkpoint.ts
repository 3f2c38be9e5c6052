import { z } from 'zod'
import { checkpointLimitSchema } from '../limits/checkpoint-limit'
import type { CheckpointRecord } from './records'

const counterSchema = z
  .tuple([
    z.string(),
    z.string(),
    z.number().nullable(),
    z.array(z.tuple([z.number(), z.number()])),
  ])
  .transform(([limitId, name, endsAtMs, stretches]) => ({
    ...{ limitId, name, stretches },
    endsAtMs: endsAtMs ?? undefined,
  }))

const limitsSchema = z.array(checkpointLimitSchema)

const checkpointSchema = z.union([
  z
    .tuple([z.literal('m'), z.literal(1), z.number()])
    .transform(([, , mark]) => ({ kind: 'mark' as const, mark })),
  z
    .tuple([z.literal('k'), z.literal(1), z.number()])
    .transform(([, , mark]) => ({ kind: 'checkpoint-begin' as const, mark })),
  z
    .tuple([z.literal('k'), z.literal(2), z.number(), z.array(z.string())])
    .transform(([, , mark, complete]) => ({ kind: 'checkpoint-begin' as const, mark, complete })),
  z
    .tuple([z.literal('c'), z.literal(1), z.number(), z.array(counterSchema)])
    .transform(([, , mark, counters]) => ({ kind: 'counters' as const, mark, counters })),
  z
    .tuple([z.literal('K'), z.literal(1), z.number(), z.number(), z.number(), limitsSchema])
    .transform(([, , mark, after, count, limits]) => ({
      ...{ kind: 'checkpoint-end' as const, mark, after, count, limits },
    })),
])

/** A record of a checkpoint from the fields of its line; `undefined` for an unknown layout. */
export function decodeCheckpoint(fields: readonly unknown[]): CheckpointRecord | undefined {
  return checkpointSchema.safeParse(fields).data
}
