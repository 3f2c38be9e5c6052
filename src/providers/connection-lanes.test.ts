import { describe, expect, test } from 'bun:test'

import { ConnectionLanes, type LaneEvent, leaveLane } from './connection-lanes'
import { providerConfiguration } from './fixtures/configuration'
import { createProvider } from './provider'

const HTTP1 = () => new Response('', { statusText: 'OK' })
const HTTP2 = () => new Response('')

const providerAt = (baseUrl: string, more: { proxy?: string; caPem?: string } = {}) =>
  createProvider(providerConfiguration({ baseUrl, ...more }))

function open(baseUrl = 'https://host.example/v1', more: { proxy?: string; caPem?: string } = {}) {
  const events: LaneEvent[] = []
  const lanes = new ConnectionLanes((event) => events.push(event))
  return { events, lanes, connections: lanes.of(providerAt(baseUrl, more)) }
}

function enterMany(connections: ReturnType<typeof open>['connections'], count: number) {
  return Array.from({ length: count }, () => {
    const lane = connections.enter()
    if (!lane) throw new Error('there is no lane')
    return lane
  })
}

describe('the connections to an origin', () => {
  test.each([
    ['over HTTP/2', 'https://host.example/v1', {}, HTTP2()],
    ['in clear text', 'http://host.example/v1', {}, HTTP1()],
    ['through a proxy', 'https://host.example/v1', { proxy: 'http://proxy.example' }, HTTP1()],
  ])('are in the pool of all others %s', (_, baseUrl, more, answer) => {
    const { connections } = open(baseUrl, more)
    expect(connections.enter()).toBeUndefined()
    connections.answered(answer)
    expect(connections.enter()).toBeUndefined()
  })

  test.each([
    ['a reason phrase', HTTP1()],
    ['a header of connections', new Response('', { headers: { connection: 'keep-alive' } })],
    ['a coding of transfer', new Response('', { headers: { 'transfer-encoding': 'chunked' } })],
  ])('have pools of their own once HTTP/1.1 is seen by %s', (_, answer) => {
    const { connections } = open('https://host.example/v1', { caPem: 'the certificates' })
    connections.answered(answer)
    const { tls } = connections.enter() ?? {}
    expect(tls).toEqual({ ca: 'the certificates', passphrase: 'lane 1 to https://host.example' })
  })

  test('fill the first pools first, and need as many as requests are under way', () => {
    const { connections, events } = open()
    connections.answered(HTTP1())
    const taken = enterMany(connections, 130)
    expect(events).toEqual([1, 2, 3].map((pools) => ({ origin: 'https://host.example', pools })))
    for (const lane of new Set(taken)) expect(lane.inFlight).toBeLessThanOrEqual(64)
    const [first] = taken
    for (const lane of taken) leaveLane(lane)
    expect(enterMany(connections, 50).every((lane) => lane === first)).toBe(true)
    expect(events).toHaveLength(3)
  })

  test('are bounded for one origin, and for all together', () => {
    const { connections, events, lanes } = open()
    connections.answered(HTTP1())
    enterMany(connections, 5_000)
    expect(events).toHaveLength(16)
    for (const host of ['b', 'c', 'd']) {
      const other = lanes.of(providerAt(`https://${host}.example/v1`))
      other.answered(HTTP1())
      for (let requests = 0; requests < 5_000; requests++) other.enter()
    }
    // Bun keeps 60 TLS configurations, and providers have some of their own.
    expect(events).toHaveLength(40)
  })

  test('give up the pools that were not used, last ones first', () => {
    const { connections, events } = open()
    connections.answered(HTTP1())
    const taken = enterMany(connections, 150)
    const stays = taken[70]
    for (const lane of taken) if (lane !== stays) leaveLane(lane)
    expect(connections.dropIdle(performance.now() - 60_000)).toBe(0)
    expect(connections.dropIdle(performance.now() + 1)).toBe(1)
    enterMany(connections, 70)
    expect(events.at(-1)?.pools).toBe(3)
  })

  test('are shared by all that are reached in the same way', () => {
    const { lanes, connections } = open()
    expect(lanes.of(providerAt('https://host.example/v2'))).toBe(connections)
    expect(lanes.of(providerAt('https://host.example/v1', { caPem: 'x' }))).not.toBe(connections)
    expect(lanes.of(providerAt('https://host.example:8443/v1'))).not.toBe(connections)
  })
})
