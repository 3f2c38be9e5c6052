import { z } from 'zod'
import { OWNED_KINDS } from '../db/owned-objects'
import type { DisownRecord, OwnRecord } from './records'

// They are few, so that nothing is gained by a layout without names.

const ownSchema = z
  .tuple([
    z.literal('O'),
    z.literal(1),
    z.object({
      kind: z.enum(OWNED_KINDS),
      id: z.string(),
      keyId: z.string().optional(),
      provider: z.string(),
      credential: z.string().optional(),
      model: z.string().optional(),
      requestId: z.string(),
      createdAtMs: z.number(),
      expiresAtMs: z.number().optional(),
      data: z.string().optional(),
    }),
  ])
  .transform(([, , object]) => ({ kind: 'own' as const, object }))

const disownSchema = z
  .tuple([z.literal('o'), z.literal(1), z.enum(OWNED_KINDS), z.string()])
  .transform(([, , objectKind, id]) => ({ kind: 'disown' as const, objectKind, id }))

const schema = z.union([ownSchema, disownSchema])

/** The line of an id that is somebody's from now on, or nobody's. */
export function encodeOwned(record: OwnRecord | DisownRecord): string {
  const fields =
    record.kind === 'own' ? ['O', 1, record.object] : ['o', 1, record.objectKind, record.id]
  return `${JSON.stringify(fields)}\n`
}

/** The record from the fields of such a line; `undefined` for an unknown layout. */
export function decodeOwned(fields: readonly unknown[]): OwnRecord | DisownRecord | undefined {
  return schema.safeParse(fields).data
}
