import type { GatewayError } from '../errors/gateway-error'
import type { Attendance, Waiting } from './client-call'

/** Where one of several attempts at once tells what it waits for. */
export type Lane = Attendance & {
  /** What it says from now on is not heard. */
  leave(): void
}

/** Attends for several attempts at once: all of them tick, and all end when the client leaves. */
export class Lanes implements Waiting {
  readonly #presence: Attendance
  readonly #waiting: (Waiting | undefined)[] = []

  constructor(presence: Attendance) {
    this.#presence = presence
  }

  open(): Lane {
    const at = this.#waiting.push(undefined) - 1
    let hasLeft = false
    const attend = (waiting: Waiting | undefined) => {
      if (hasLeft) return
      this.#waiting[at] = waiting
      this.#presence.attend(this.#waiting.some((one) => one !== undefined) ? this : undefined)
    }
    return {
      attend,
      sleep: (ms) => this.#presence.sleep(ms),
      leave() {
        attend(undefined)
        hasLeft = true
      },
    }
  }

  tick(nowMs: number): void {
    for (const waiting of this.#waiting) waiting?.tick(nowMs)
  }

  abort(reason: GatewayError): void {
    for (const waiting of this.#waiting) waiting?.abort(reason)
  }
}
