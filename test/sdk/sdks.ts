import type { OpenAI } from 'openai'

import { startHarness } from '../harness'

/** One major of the official SDK, as its package exports it. */
export type Sdk = {
  /** As tests are titled: `openai 7.57.0`. */
  name: string
  openai: typeof import('openai')
  zodResponseFormat: typeof import('openai/helpers/zod').zodResponseFormat
}

/** Names in package.json: the current major, and the one before it under an alias. */
const PACKAGES = ['openai', 'openai-6']

/**
 * Every major that is tested. They are loaded by names that are no literals, since their classes are different
 * types: the suite is written in those of the current major, and what an older one lacks fails when it runs.
 */
export function loadSdks(): Promise<Sdk[]> {
  return Promise.all(
    PACKAGES.map(async (name) => {
      const openai: Sdk['openai'] = await import(name)
      const { zodResponseFormat }: Pick<Sdk, 'zodResponseFormat'> = await import(
        `${name}/helpers/zod`
      )
      const { VERSION }: { VERSION: string } = await import(`${name}/version`)
      return { name: `openai ${VERSION}`, openai, zodResponseFormat }
    })
  )
}

export type Floor = Awaited<ReturnType<typeof startFloor>>

/**
 * A gateway as an SDK meets it, with keys required. The simulator is there as `sim`, as `prompt`, which must
 * begin its answers soon, and as `steady`, which must go on with them; where `gone` should be nobody listens.
 */
export async function startFloor() {
  const sim = { models: ['sim-1', 'sim-embed-1', 'family/sim-1'], model_list: false }
  const harness = await startHarness({ keys: { required: true }, sim })
  const { gateway, simulator } = harness
  const other = { type: 'openai', api_key: 'none', model_list: false }
  const twin = { ...other, base_url: `${simulator.url}/v1` }
  await harness.reload({
    keys: { required: true },
    sim,
    providers: {
      prompt: { ...twin, deadlines: { first_byte: '300ms' } },
      steady: { ...twin, deadlines: { between_frames: '300ms' } },
      gone: { ...other, base_url: 'http://127.0.0.1:1/v1' },
    },
  })
  const baseUrl = `${gateway.url}/v1`
  const { token: key } = harness.makeKey()
  const { token: narrowKey } = harness.makeKey({ models: ['sim/sim-embed-*'] })
  await untilKnown(baseUrl, narrowKey)
  return { ...harness, baseUrl, key, narrowKey }
}

/** A client of the gateway that tries once, unless told otherwise. */
export function createClient(
  sdk: Sdk,
  floor: { baseUrl: string; key: string },
  options: ConstructorParameters<typeof OpenAI>[0] = {}
): OpenAI {
  return new sdk.openai.OpenAI({
    baseURL: floor.baseUrl,
    apiKey: floor.key,
    maxRetries: 0,
    ...options,
  })
}

/** What a promise rejects with; throws when it does not. */
export async function rejectionOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('nothing was raised')
}

/** The gateway reads new keys a moment after they are written. */
async function untilKnown(baseUrl: string, key: string): Promise<void> {
  const dueAtMs = performance.now() + 5_000
  const headers = { authorization: `Bearer ${key}` }
  while (!(await fetch(`${baseUrl}/models`, { headers })).ok) {
    if (performance.now() > dueAtMs) throw new Error('the key did not become known')
    await Bun.sleep(20)
  }
}
