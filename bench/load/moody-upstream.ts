import { ANSWER } from './upstream-answers'

/** How it treats requests: answers after a while, never, or those of a second beyond a number with 429. */
export type Mood =
  | { kind: 'answers'; afterMs: number }
  | { kind: 'silent' }
  | { kind: 'throttles'; perSecond: number; afterMs: number }

/** A provider in this process whose behaviour can be changed while it is asked. */
export type MoodyUpstream = {
  port: number
  /** When each request came, in order. */
  askedAtMs: number[]
  become(mood: Mood): void
  stop(): Promise<void>
}

export function startMoodyUpstream(): MoodyUpstream {
  let mood: Mood = { kind: 'answers', afterMs: 60 }
  const askedAtMs: number[] = []
  let lastTakenAtMs = 0
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    async fetch() {
      const nowMs = performance.now()
      askedAtMs.push(nowMs)
      if (mood.kind === 'silent') return new Promise<Response>(() => {})
      if (mood.kind === 'throttles') {
        // One after another, with room for a tenth of a second at once.
        const nextAtMs = Math.max(lastTakenAtMs + 1_000 / mood.perSecond, nowMs - 100)
        if (nextAtMs > nowMs) return Response.json(THROTTLED, { status: 429 })
        lastTakenAtMs = nextAtMs
      }
      await Bun.sleep(mood.afterMs)
      return new Response(ANSWER, { headers: { 'content-type': 'application/json' } })
    },
  })
  return {
    port: server.port ?? 0,
    askedAtMs,
    become: (next) => void (mood = next),
    stop: () => server.stop(true),
  }
}

const THROTTLED = {
  error: { message: 'too many requests', type: 'requests', code: 'rate_limit_exceeded' },
}
