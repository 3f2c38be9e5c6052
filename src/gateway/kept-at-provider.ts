import type { OwnedObject } from '../db/owned-objects'
import type { AnswerFacts } from '../protocols/protocol'
import { countOf, isRecord } from '../std/record'
import type { RequestLog } from '../telemetry/request-log'
import type { RequestRecord } from './request-record'

/** What is known of a response that its provider keeps. */
export type KeptFacts = {
  /** What it took in all: so much comes to the input of what goes on from it. */
  readonly tokens?: number | undefined
  /** Its work goes on, or went on when it was last heard of: its cost is still held. */
  readonly isRunning?: true
}

/** Reads what was written down of such a response. */
export function readKept({ data }: OwnedObject): KeptFacts {
  const value: unknown = JSON.parse(data ?? '{}')
  const isRunning = isRecord(value) && value.isRunning === true
  return { tokens: countOf(value, 'tokens'), ...(isRunning && { isRunning }) }
}

/** What is to be written down of it. */
export function renderKept(facts: KeptFacts): string {
  return JSON.stringify(facts)
}

/** A response that its provider keeps, as long as the request is under way that made it. */
export class KeptAtProvider {
  readonly #log: Pick<RequestLog, 'own' | 'write'>
  readonly #record: RequestRecord
  readonly #object: OwnedObject
  readonly #isBackground: boolean

  constructor(
    log: Pick<RequestLog, 'own' | 'write'>,
    record: RequestRecord,
    { object, isBackground }: { object: OwnedObject; isBackground: boolean }
  ) {
    this.#log = log
    this.#record = record
    this.#object = object
    this.#isBackground = isBackground
  }

  /** Has it be its key's before the client learns its id. */
  claim(): void {
    this.#log.own(this.#object)
    this.#log.write()
  }

  /** Whether the work goes on behind the answer; then its cost stays held until it is known. */
  goesOn(facts: AnswerFacts | undefined): boolean {
    if (!this.#isBackground || facts?.usage !== undefined) return false
    this.#record.deferredAs = this.#object.id
    return true
  }

  /** Writes down whose it is, and what it took. */
  end(): void {
    const { deferredAs, facts } = this.#record
    const { inputTokens, outputTokens } = facts?.usage ?? {}
    const tokens =
      inputTokens === undefined && outputTokens === undefined
        ? undefined
        : (inputTokens ?? 0) + (outputTokens ?? 0)
    const isRunning = deferredAs !== undefined
    this.#log.own({
      ...this.#object,
      data: renderKept({ tokens, ...(isRunning && { isRunning }) }),
    })
  }
}
