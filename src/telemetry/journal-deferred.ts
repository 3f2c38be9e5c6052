import { z } from 'zod'
import { COST_PROVENANCES } from '../pricing/cost'
import type { DeferRecord, SettlementRecord } from './records'

// They are few, so that nothing is gained by a layout without names.

const deferSchema = z
  .tuple([
    z.literal('D'),
    z.literal(1),
    z.object({
      requestId: z.string(),
      deferredAtMs: z.number(),
      reference: z.string(),
      inputTokens: z.number(),
      outputTokens: z.number(),
    }),
  ])
  .transform(([, , fields]) => ({ kind: 'defer' as const, ...fields }))

const settlementSchema = z
  .tuple([
    z.literal('S'),
    z.literal(1),
    z.object({
      requestId: z.string(),
      settledAtMs: z.number(),
      costNanoUsd: z.number().optional(),
      inputTokens: z.number().optional(),
      outputTokens: z.number().optional(),
      provenance: z.enum([...COST_PROVENANCES, 'none']),
      priceOrigin: z.string().optional(),
    }),
  ])
  .transform(([, , fields]) => ({ kind: 'settlement' as const, ...fields }))

const schema = z.union([deferSchema, settlementSchema])

/** The line of a hold that is deferred, or of its settlement. */
export function encodeDeferred({ kind, ...fields }: DeferRecord | SettlementRecord): string {
  return `${JSON.stringify([kind === 'defer' ? 'D' : 'S', 1, fields])}\n`
}

/** The record from the fields of such a line; `undefined` for an unknown layout. */
export function decodeDeferred(
  fields: readonly unknown[]
): DeferRecord | SettlementRecord | undefined {
  return schema.safeParse(fields).data
}
