import type { AccountBook } from '../ledger/account-book'
import type { Checkpointer } from '../ledger/checkpointer'
import { toCheckpointLimit } from '../limits/checkpoint-limit'
import type { GivenLimits } from '../keys/key-feed'
import type { Limit } from '../limits/limit'
import type { ProgramLog } from '../telemetry/program-log'
import type { RequestLog } from '../telemetry/request-log'

export type CatchUpOptions = {
  book: AccountBook
  checkpointer: Checkpointer
  log: RequestLog
  programLog: ProgramLog
}

/**
 * Adds what was spent before limits were there to their counters, which count on meanwhile: entries up to a mark in the
 * journal, since what is behind it the counters have seen. Never rejects; the next start counts all of it anyway.
 */
export async function catchUp(
  limits: readonly Limit[],
  given: readonly GivenLimits[],
  { book, checkpointer, log, programLog }: CatchUpOptions
): Promise<void> {
  const wanted = limits.filter(({ unit }) => unit !== 'in_flight').map(toCheckpointLimit)
  const own = given.flatMap(({ keyId, limits: ofKey }) =>
    ofKey
      .filter(({ limit }) => limit.unit !== 'in_flight')
      .map(({ limit, name }) => {
        // It has a counter from now on, whether it is asked for meanwhile or not.
        book.account(limit, name, Date.now())
        const { subject: _, ...rest } = limit
        return { keyId, name, limit: toCheckpointLimit(rest) }
      })
  )
  if (wanted.length + own.length === 0) return
  try {
    const mark = checkpointer.mark()
    const counters = mark === undefined ? undefined : await log.recount(mark, wanted, own)
    if (counters === undefined) throw new Error('the log did not come to it')
    const nowMs = Date.now()
    for (const { limitId, name, stretches } of counters)
      book.addHistory(limitId, name, stretches, nowMs)
  } catch (error) {
    programLog.warn('new limits count what was spent before only from the next start on', { error })
  }
}
