import { describe, expect, test } from 'bun:test'
import { type Action, chooseAction, type Possible } from './choose-action'
import type { FailureCause, FailureKind } from './classify-failure'

const failure = (kind: FailureKind, cause?: FailureCause, retryAfterMs?: number) => ({
  kind,
  cause,
  retryAfterMs,
})
const ALL: Possible = { retry: true, rotate: true, next: true }
const ALONE: Possible = { retry: true, rotate: false, next: false }
const ON = { capability: true, contextLength: true, contentPolicy: true }
const OFF = { capability: false, contextLength: false, contentPolicy: false }

describe('after a failure', () => {
  test.each<[FailureKind, FailureCause | undefined, number | undefined, Possible, Action]>([
    ['provider', undefined, undefined, ALL, 'retry'],
    ['provider', undefined, undefined, { ...ALL, retry: false }, 'next_target'],
    ['provider', undefined, 5_000, ALL, 'next_target'],
    ['provider', 'timeout', undefined, ALL, 'next_target'],
    ['provider', 'unreachable', undefined, ALL, 'next_target'],
    ['provider', 'unreachable', undefined, ALONE, 'retry'],
    ['provider', 'unreachable', 120_000, ALONE, 'give_up'],
    ['throttled', undefined, 2_000, ALL, 'rotate_credential'],
    ['throttled', undefined, 2_000, { ...ALL, rotate: false }, 'next_target'],
    ['throttled', undefined, 2_000, ALONE, 'retry'],
    ['throttled', undefined, 120_000, ALONE, 'give_up'],
    ['credential', undefined, undefined, ALL, 'rotate_credential'],
    ['credential', undefined, undefined, { ...ALL, rotate: false }, 'next_target'],
    ['credential', undefined, undefined, ALONE, 'give_up'],
    ['request', undefined, undefined, ALL, 'give_up'],
    ['client', undefined, undefined, ALL, 'give_up'],
    ['policy', undefined, undefined, ALL, 'give_up'],
  ])('%s (%p, %p ms) with %j: %s', (kind, cause, retryAfterMs, possible, action) => {
    expect(chooseAction(failure(kind, cause, retryAfterMs), possible, ON)).toBe(action)
  })

  test.each<FailureKind>(['capability', 'context_length', 'content_policy'])(
    '%s goes to another target only where that is wanted, and never to the same',
    (kind) => {
      expect(chooseAction(failure(kind), ALL, ON)).toBe('next_target')
      expect(chooseAction(failure(kind), ALL, OFF)).toBe('give_up')
      expect(chooseAction(failure(kind), ALONE, ON)).toBe('give_up')
    }
  )

  test('unless said, what is refused for its content is not taken elsewhere', () => {
    expect(chooseAction(failure('content_policy'), ALL)).toBe('give_up')
    expect(chooseAction(failure('context_length'), ALL)).toBe('next_target')
  })
})
