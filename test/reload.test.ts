import { afterAll, beforeAll, describe, expect, test } from 'bun:test'

import { createSimulator, type Simulator } from '../src/simulator/simulator'
import { errorOf, eventsOf } from './answers'
import { startHarness, until, type Harness } from './harness'

let harness: Harness
let next: Simulator

beforeAll(async () => {
  next = createSimulator()
  harness = await startHarness()
})
afterAll(async () => {
  await harness.stop()
  await next.stop()
})

describe('a new configuration', () => {
  test('serves from the next request on, and lets those under way end as they began', async () => {
    const streaming = await harness.chat({ model: 'sim/sim-1;tps=60;tokens=40', stream: true })
    const waiting = harness.chat({ model: 'sim/sim-1;ttft=500' })
    await until(() => harness.simulator.stats().open === 2)
    await harness.reload({ sim: { base_url: `${next.url}/v1` } })

    const moved = await harness.chat({ model: 'sim/moved' })
    expect(moved.status).toBe(200)
    expect(next.requests({ model: 'moved' })).toHaveLength(1)

    const { errors, terminators } = await eventsOf(streaming)
    expect(errors).toEqual([])
    expect(terminators).toBe(1)
    expect((await waiting).status).toBe(200)
    expect(harness.simulator.stats().cancelled).toBe(0)
    await harness.reload({})
  })

  test('under steady load drops no request', async () => {
    const statuses: number[] = []
    let isOver = false
    const clients = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const response = await harness.chat({ stream: statuses.length % 2 === 0 })
        await response.text()
        statuses.push(response.status)
      }
    })
    for (let round = 0; round < 10; round++) {
      await Bun.sleep(10)
      await harness.reload({
        sim: { base_url: `${round % 2 ? next.url : harness.simulator.url}/v1` },
      })
    }
    isOver = true
    await Promise.all(clients)
    expect(statuses.length).toBeGreaterThan(10)
    expect(new Set(statuses)).toEqual(new Set([200]))
    await harness.reload({})
  })

  test('without a provider no longer knows its models', async () => {
    const extra = {
      type: 'openai',
      base_url: `${next.url}/v1`,
      api_key: 'none',
      models: ['extra-model'],
    }
    await harness.reload({ providers: { extra } })
    expect((await harness.chat({ model: 'extra-model' })).status).toBe(200)
    await harness.reload({})
    for (const model of ['extra-model', 'extra/extra-model'])
      expect((await errorOf(await harness.chat({ model }))).code).toBe('model_not_found')
  })

  test('may require keys, lower limits and keep bodies from then on', async () => {
    const key = harness.makeKey()
    await harness.reload({
      keys: { required: true },
      server: { max_body: '1KB' },
      log: { bodies: 'full' },
    })
    expect((await harness.chat()).status).toBe(401)
    const headers = { authorization: `Bearer ${key.token}` }
    const response = await until(async () => {
      const answer = await harness.chat({}, { headers })
      return answer.ok && answer
    })
    const row = await harness.rowOf(response)
    expect(harness.bodiesOf(row.id)?.answer).toContain('chat.completion')
    expect((await harness.chat({ filler: 'x'.repeat(2_000) }, { headers })).status).toBe(413)
    await harness.reload({})
    expect((await harness.chat({ filler: 'x'.repeat(2_000) })).status).toBe(200)
  })
})

describe('a drain', () => {
  test('lets what is under way end, and takes nothing new', async () => {
    const ending = await startHarness()
    const streaming = await ending.chat({ model: 'sim/sim-1;tps=60;tokens=30', stream: true })
    const drained = ending.drain()
    const { errors, terminators } = await eventsOf(streaming)
    expect(errors).toEqual([])
    expect(terminators).toBe(1)
    expect(await drained).toBe(0)
    await expect(ending.chat()).rejects.toThrow()
    // Its row is there at once: the log is written down before a drain ends.
    const id = streaming.headers.get('x-request-id')
    expect(ending.rows().find((row) => row.id === id)).toMatchObject({ outcome: 'ok' })
    await ending.stop()
  })

  test('cuts at its limit what does not end, and says how many', async () => {
    const ending = await startHarness({ sim: { model_list: false } })
    const clients = [1, 2].map(() => ending.chat({ model: 'sim/sim-1;ttft=60000' }).catch(() => {}))
    await until(() => ending.simulator.stats().open === 2)
    expect(await ending.drain(100)).toBe(2)
    await Promise.all(clients)
    await until(() => ending.simulator.stats().cancelled === 2, 1_000)
    expect(ending.rows().map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled'])
    await ending.stop()
  })
})
