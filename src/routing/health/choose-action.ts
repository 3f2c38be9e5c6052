import type { Failure } from './classify-failure'

/** What may be done after a failure. */
export type Action = 'retry' | 'rotate_credential' | 'next_target' | 'give_up'

/** Which refusals of a request may be taken to another target, that may see them otherwise. */
export type FallbackSwitches = {
  /** The target lacks a feature, a field or the model. */
  capability: boolean
  /** The request is too long for it. */
  contextLength: boolean
  /** It won't say that. Off: to ask around until somebody does is a decision of the operator. */
  contentPolicy: boolean
}

export const DEFAULT_SWITCHES: Readonly<FallbackSwitches> = {
  capability: true,
  contextLength: true,
  contentPolicy: false,
}

/** What is left to try. */
export type Possible = {
  /** The same target may be sent this request again: it counts as safe, and the target's retry budget has room. */
  retry: boolean
  /** The target has another credential that is in order. */
  rotate: boolean
  /** The plan has another target. */
  next: boolean
}

type Choice = Exclude<Action, 'give_up'>

/** A wait beyond this is no retry any more: the client has the answer sooner, and can decide. */
const MAX_WAIT_MS = 60_000

/** The best of what is possible after `failure`. */
export function chooseAction(
  failure: Failure,
  possible: Possible,
  switches: FallbackSwitches = DEFAULT_SWITCHES
): Action {
  for (const choice of choicesAfter(failure, switches))
    if (isPossible(choice, possible)) return choice
  return 'give_up'
}

/** From the best to the last resort. */
function choicesAfter(failure: Failure, switches: FallbackSwitches): readonly Choice[] {
  const { kind, cause, retryAfterMs = 0 } = failure
  const isNear = retryAfterMs <= MAX_WAIT_MS
  switch (kind) {
    case 'provider':
      // Who doesn't answer at all won't do so at once: to ask again costs another deadline.
      if (cause !== undefined) return isNear ? NEXT_THEN_RETRY : NEXT
      return retryAfterMs === 0 ? RETRY_THEN_NEXT : isNear ? NEXT_THEN_RETRY : NEXT
    case 'throttled':
      return isNear ? ROTATE_NEXT_RETRY : ROTATE_THEN_NEXT
    case 'credential':
      return ROTATE_THEN_NEXT
    case 'capability':
      return switches.capability ? NEXT : NONE
    case 'context_length':
      return switches.contextLength ? NEXT : NONE
    case 'content_policy':
      return switches.contentPolicy ? NEXT : NONE
    case 'request':
    case 'client':
    case 'policy':
      return NONE
  }
  return kind satisfies never
}

const NONE: readonly Choice[] = []
const NEXT: readonly Choice[] = ['next_target']
const NEXT_THEN_RETRY: readonly Choice[] = ['next_target', 'retry']
const RETRY_THEN_NEXT: readonly Choice[] = ['retry', 'next_target']
const ROTATE_THEN_NEXT: readonly Choice[] = ['rotate_credential', 'next_target']
const ROTATE_NEXT_RETRY: readonly Choice[] = ['rotate_credential', 'next_target', 'retry']

function isPossible(choice: Choice, { retry, rotate, next }: Possible): boolean {
  switch (choice) {
    case 'retry':
      return retry
    case 'rotate_credential':
      return rotate
    case 'next_target':
      return next
  }
  return choice satisfies never
}
