import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { z } from 'zod'

import { startHarness, until, type Harness } from './harness'
import { startUpstream, type Upstream } from './upstream'

const viewSchema = z.object({
  route: z.object({ passed: z.array(z.object({ model: z.string(), reason: z.string() })) }),
})

let harness: Harness
let upstream: Upstream
/** What a probe is answered. */
let answerProbe: () => Response | Promise<Response>

beforeEach(() => {
  answerProbe = () => new Response('fine')
  upstream = startUpstream((request) =>
    new URL(request.url).pathname === '/v1/alive'
      ? answerProbe()
      : Response.json({ object: 'chat.completion', choices: [{}], model: 'probed' })
  )
})
afterEach(async () => {
  await harness.stop()
  await upstream.stop()
})

async function start(probe: Record<string, unknown> = {}) {
  const probed = {
    type: 'openai',
    base_url: upstream.url,
    api_key: '${PROBED_KEY}',
    probe: { every: '1s', path: '/alive', ...probe },
  }
  const options = {
    env: { PROBED_KEY: 'sk-probed' },
    providers: { probed },
    routes: { both: { strategy: 'fallback', targets: ['probed/m', 'sim/sim-1'] } },
  }
  harness = await startHarness(options)
  return options
}

const probes = () => upstream.received.filter(({ path }) => path === '/v1/alive')
const askedOf = async () => {
  const response = await harness.chat({ model: 'both' })
  await response.text()
  return { target: response.headers.get('x-tg-model'), response }
}
const goesTo = (target: string) => until(async () => (await askedOf()).target === target)

const logged = (message: RegExp) =>
  harness.programLines
    .map((line) => JSON.parse(line))
    .filter((entry) => message.test(entry.message))

describe('a provider that is probed', () => {
  test('is passed by while its probe fails, and asked again once it is well', async () => {
    await start()
    await until(() => probes().length > 0)
    expect((await askedOf()).target).toBe('probed/m')
    expect(probes()[0]?.headers).toMatchObject({ authorization: 'Bearer sk-probed' })
    answerProbe = () => new Response('no', { status: 503 })
    await goesTo('sim/sim-1')
    const { response } = await askedOf()
    const { id } = await harness.rowOf(response)
    const told = await fetch(`${harness.gateway.url}/v1/requests/${id}`)
    expect(viewSchema.parse(await told.json()).route.passed).toEqual([
      { model: 'probed/m', reason: 'probe_failed' },
    ])
    expect(logged(/fails its probe/)).toEqual([
      expect.objectContaining({
        level: 'warn',
        provider: 'probed',
        problem: 'GET /alive answered 503',
      }),
    ])
    answerProbe = () => new Response('fine')
    await goesTo('probed/m')
    expect(logged(/answers its probe again/)).toHaveLength(1)
  }, 15_000)

  test('still answers where nobody else can', async () => {
    answerProbe = () => new Response('no', { status: 500 })
    await start()
    await goesTo('sim/sim-1')
    const only = await harness.chat({ model: 'probed/m' })
    expect(only.status).toBe(200)
    expect(only.headers.get('x-tg-model')).toBe('probed/m')
  }, 15_000)

  test('fails by being silent', async () => {
    answerProbe = () => Bun.sleep(3_000).then(() => new Response('late'))
    await start({ timeout: '100ms' })
    await goesTo('sim/sim-1')
    expect(logged(/fails its probe/)[0]).toMatchObject({ problem: expect.stringMatching('100 ms') })
  }, 15_000)

  test('is asked one thing at a time', async () => {
    let open = 0
    let most = 0
    answerProbe = async () => {
      most = Math.max(most, ++open)
      await Bun.sleep(1_200)
      open--
      return new Response('late, but in time')
    }
    await start({ timeout: '10s' })
    await until(() => probes().length >= 2, 8_000)
    await Bun.sleep(1_300)
    expect(most).toBe(1)
  }, 15_000)

  test('is not judged by what it has against a credential', async () => {
    const statuses = [401, 403, 429]
    answerProbe = () => new Response('you', { status: statuses[probes().length % 3] ?? 0 })
    await start()
    await until(() => probes().length >= 4, 8_000)
    expect((await askedOf()).target).toBe('probed/m')
  }, 15_000)

  test('may be well by another status', async () => {
    answerProbe = () => new Response('teapot', { status: 418 })
    await start({ status: 418 })
    await until(() => probes().length >= 3, 8_000)
    expect((await askedOf()).target).toBe('probed/m')
    answerProbe = () => new Response('fine')
    await goesTo('sim/sim-1')
  }, 15_000)

  test('is in order again when a reload takes its probe away, and asked no more', async () => {
    answerProbe = () => new Response('no', { status: 500 })
    const { env, providers, routes } = await start()
    await goesTo('sim/sim-1')
    const { probe: _, ...unprobed } = providers.probed
    await harness.reload({ env, routes, providers: { probed: unprobed } })
    expect((await askedOf()).target).toBe('probed/m')
    const before = probes().length
    await Bun.sleep(1_500)
    expect(probes()).toHaveLength(before)
  }, 15_000)

  test('is asked for its list of models unless a path is said', async () => {
    const options = { providers: { probed: { type: 'bedrock', base_url: upstream.url } } }
    harness = await startHarness()
    const noList = { ...options.providers.probed, probe: {}, api_key: 'none' }
    await expect(harness.configure({ providers: { noList: {}, bed: noList } })).rejects.toThrow(
      /providers\.bed\.probe.*set probe\.path/s
    )
  })
})
