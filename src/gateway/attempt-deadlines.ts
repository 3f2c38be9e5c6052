import { Deadlines } from '../providers/deadlines'
import type { Provider } from '../providers/provider'
import type { AttemptRequest } from './attempt-request'

/** The deadlines of one attempt. A client may have less patience than its provider is given. */
export function createDeadlines(
  { name, configuration }: Provider,
  { timeoutMs, record, envelope }: AttemptRequest,
  isCold: boolean
): Deadlines {
  const { deadlines } = configuration
  const settings =
    timeoutMs === undefined
      ? deadlines
      : { ...deadlines, totalMs: Math.min(deadlines.totalMs, timeoutMs) }
  // How long a client takes to send its files is not the provider's time.
  const startedAtMs = envelope.form ? performance.now() : record.startedAt
  return new Deadlines(name, settings, startedAtMs, isCold)
}
