import { z } from 'zod'
import type { DeferRecord, SettledRecord } from './records'

// These are few, so a schema reads them.

const deferSchema = z
  .tuple([z.literal('f'), z.literal(1), z.string(), z.string()])
  .transform(([, , requestId, reference]): DeferRecord => ({ kind: 'defer', requestId, reference }))

const count = z.int().min(0).nullable()

const settledSchema = z
  .tuple([z.literal('t'), z.literal(1), z.string(), z.int().min(0), count, count, z.string()])
  .transform(([, , requestId, costNanoUsd, inputTokens, outputTokens, reason]): SettledRecord => ({
    ...{ kind: 'settled', requestId, costNanoUsd, reason },
    inputTokens: inputTokens ?? undefined,
    outputTokens: outputTokens ?? undefined,
  }))

const schema = z.union([deferSchema, settledSchema])

/** A record of a request whose cost comes later; `undefined` for one that is torn or of an unknown layout. */
export function decodeDeferred(value: readonly unknown[]): DeferRecord | SettledRecord | undefined {
  return schema.safeParse(value).data
}
