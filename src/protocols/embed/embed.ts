import type { JsonValue } from '../json'
import type { OperationCodec } from '../convert'
import { malformed } from '../convert'
import type { Usage } from '../usage'

/** What the vectors are for; some models make others for each. */
export type EmbedPurpose = 'query' | 'document' | 'similarity' | 'classification' | 'clustering'

/** Texts that are to become vectors, whatever format asks. */
export type EmbedRequest = {
  readonly texts: readonly string[]
  /** The format asked for one, and answers one. */
  readonly isSingle: boolean
  /** Of each vector; left out for what the model has. */
  readonly dimensions?: number | undefined
  readonly purpose?: EmbedPurpose | undefined
  /** Which end of a text that is too long may be cut; `none` has it refused. */
  readonly truncate?: 'none' | 'start' | 'end' | undefined
  /** Vectors are wanted as base64 of little-endian floats of four bytes. */
  readonly isBase64: boolean
}

/** A vector, in numbers or as base64 of little-endian floats of four bytes. */
export type Vector = readonly number[] | string

export type EmbedAnswer = {
  readonly vectors: readonly Vector[]
  readonly usage: Usage | undefined
}

export type EmbedCodec = OperationCodec<EmbedRequest, EmbedAnswer>

const FLOAT_BYTES = 4

/** The vector as a client wants it. */
export function toWanted(vector: Vector, isBase64: boolean): string | number[] {
  if (isBase64) return typeof vector === 'string' ? vector : toBase64(vector)
  return typeof vector === 'string' ? toNumbers(vector) : [...vector]
}

function toBase64(numbers: readonly number[]): string {
  const bytes = Buffer.alloc(numbers.length * FLOAT_BYTES)
  for (const [at, number] of numbers.entries()) bytes.writeFloatLE(number, at * FLOAT_BYTES)
  return bytes.toString('base64')
}

function toNumbers(base64: string): number[] {
  const bytes = Buffer.from(base64, 'base64')
  return Array.from({ length: Math.floor(bytes.length / FLOAT_BYTES) }, (_, at) =>
    bytes.readFloatLE(at * FLOAT_BYTES)
  )
}

/** A vector of an answer; throws `upstream_malformed` where it is none. */
export function readVector(value: JsonValue | undefined): Vector {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) throw malformed('an embedding that is no vector')
  return value.map((number) => {
    if (typeof number !== 'number') throw malformed('an embedding that is no vector')
    return number
  })
}
