import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../errors/gateway-error'
import { Deadlines } from './deadlines'

const SETTINGS = { connectMs: 100, firstByteMs: 1_000, betweenFramesMs: 500, totalMs: 5_000 }

function start(settings: Partial<typeof SETTINGS> = {}, isConnecting = false) {
  const nowMs = performance.now()
  const deadlines = new Deadlines('sim', { ...SETTINGS, ...settings }, nowMs, isConnecting)
  // Some milliseconds may pass between the two looks at the clock.
  const at = (ms: number) => {
    deadlines.tick(nowMs + ms)
    const { reason } = deadlines.signal
    return reason instanceof GatewayError ? reason.message : undefined
  }
  return { deadlines, nowMs, at }
}

describe('Deadlines', () => {
  test('to the first byte', () => {
    const { at } = start()
    expect(at(990)).toBeUndefined()
    expect(at(1_100)).toBe("the provider 'sim' sent nothing within 1000 ms")
  })

  test('to a connection, which counts towards the first byte', () => {
    expect(start({}, true).at(200)).toContain('could not be connected to within 100 ms')
    const { deadlines, at } = start({}, true)
    deadlines.connected()
    expect(at(990)).toBeUndefined()
    expect(at(1_100)).toContain('sent nothing within 1000 ms')
  })

  test('to a connection is the first byte’s where that is sooner', () => {
    const { at } = start({ connectMs: 2_000 }, true)
    expect(at(1_100)).toContain('sent nothing within 1000 ms')
  })

  test('between frames, from when one is awaited', () => {
    const { deadlines, nowMs, at } = start()
    deadlines.awaitFrame(nowMs + 900)
    expect(at(1_390)).toBeUndefined()
    deadlines.awaitFrame(nowMs + 1_390)
    expect(at(1_880)).toBeUndefined()
    expect(at(1_900)).toContain('sent no further frame within 500 ms')
  })

  test('between the pieces of a whole answer', () => {
    const { deadlines, nowMs, at } = start()
    deadlines.awaitBody()
    const dueAtMs = performance.now() - nowMs + 1_000
    expect(at(dueAtMs - 100)).toBeUndefined()
    expect(at(dueAtMs + 100)).toContain('sent no more of its answer within 1000 ms')
  })

  test('of the whole request, whatever else is awaited', () => {
    const { deadlines, nowMs, at } = start()
    deadlines.awaitFrame(nowMs + 4_700)
    expect(at(4_990)).toBeUndefined()
    expect(at(5_000)).toContain("did not finish within 5000 ms of the request's start")
    const streaming = start()
    streaming.deadlines.awaitFrame(nowMs + 4_900)
    expect(streaming.at(5_000)).toContain('did not finish within 5000 ms')
  })

  test('the first reason to end is the one that stays', () => {
    const { deadlines, at } = start()
    deadlines.abort(new GatewayError('client_closed', 'gone'))
    expect(at(9_000)).toBe('gone')
  })
})
