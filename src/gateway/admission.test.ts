import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../errors/gateway-error'
import { Admission } from './admission'

function codeOf(act: () => void): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    const { code, status, retryAfterSeconds } = GatewayError.from(error)
    expect([status, retryAfterSeconds]).toEqual([503, 1])
    return code
  }
}

describe('Admission', () => {
  test('takes as many requests as may be under way', () => {
    const admission = new Admission(() => ({ maxInFlight: 2, maxBodiesBytes: 10 }))
    admission.enter()
    admission.enter()
    expect(codeOf(() => admission.enter())).toBe('overloaded')
    admission.leave(0)
    expect(codeOf(() => admission.enter())).toBeUndefined()
    expect(admission.inFlight).toBe(2)
  })

  test('holds as many bytes as there is room for, and none of what it refused', () => {
    const admission = new Admission(() => ({ maxInFlight: 9, maxBodiesBytes: 10 }))
    admission.enter()
    admission.enter()
    admission.hold(6)
    expect(codeOf(() => admission.hold(5))).toBe('overloaded')
    expect(codeOf(() => admission.hold(4))).toBeUndefined()
    admission.leave(6)
    expect(codeOf(() => admission.hold(6))).toBeUndefined()
    expect(codeOf(() => admission.hold(1))).toBe('overloaded')
  })

  test('goes by the limits of the moment', () => {
    let maxInFlight = 1
    const admission = new Admission(() => ({ maxInFlight, maxBodiesBytes: 10 }))
    admission.enter()
    expect(codeOf(() => admission.enter())).toBe('overloaded')
    maxInFlight = 2
    expect(codeOf(() => admission.enter())).toBeUndefined()
  })
})
