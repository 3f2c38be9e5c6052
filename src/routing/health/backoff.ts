export type BackoffOptions = {
  /** The longest wait before the first retry. */
  baseMs: number
  /** The longest wait before any. */
  capMs: number
}

export const DEFAULT_BACKOFF: Readonly<BackoffOptions> = { baseMs: 250, capMs: 8_000 }

/**
 * How long to wait before a retry, in milliseconds: "full jitter", anything between nothing and what doubles with every
 * retry. `retry` counts from 0; `random` gives [0, 1).
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffMs(
  retry: number,
  random: () => number,
  { baseMs, capMs }: BackoffOptions = DEFAULT_BACKOFF
): number {
  return random() * Math.min(capMs, baseMs * 2 ** retry)
}
