import { Deadlines } from '../providers/deadlines'
import type { Provider } from '../providers/provider'
import type { AttemptRequest } from './attempt-request'

/** The deadlines of one attempt. A client may have less patience than its provider is given. */
export function createDeadlines(
  { name, configuration }: Provider,
  { timeoutMs, record }: AttemptRequest,
  isCold: boolean
): Deadlines {
  const { deadlines } = configuration
  const settings =
    timeoutMs === undefined
      ? deadlines
      : { ...deadlines, totalMs: Math.min(deadlines.totalMs, timeoutMs) }
  return new Deadlines(name, settings, record.startedAt, isCold)
}
