import { startHarness } from '../harness'
import { isRecord } from '../../src/std/record'

/** The five formats that a model may be behind, by the provider's name on the floor. */
export const UPSTREAMS = ['chat', 'responses', 'claude', 'google', 'bedrock'] as const

export type Upstream = (typeof UPSTREAMS)[number]

export type Floor = Awaited<ReturnType<typeof startUpstreams>>

/**
 * A gateway with keys required, before one simulator that is there five times: once in each format. Hosts that
 * want something back of their own are there as `deepseek` and `mistral`.
 */
export async function startUpstreams() {
  const harness = await startHarness({ keys: { required: true }, sim: { model_list: false } })
  const { url } = harness.simulator
  const host = { api_key: 'none', model_list: false }
  await harness.reload({
    keys: { required: true },
    sim: { model_list: false },
    providers: {
      chat: { ...host, type: 'openai', base_url: `${url}/v1` },
      responses: {
        ...host,
        type: 'openai',
        base_url: `${url}/v1`,
        protocols: ['openai-responses'],
      },
      claude: { ...host, type: 'anthropic', base_url: url },
      google: { ...host, type: 'gemini', base_url: url },
      bedrock: { ...host, type: 'bedrock', base_url: url },
      // Its Anthropic format left out: what is asked here is what its chat wants back.
      deepseek: {
        ...host,
        type: 'deepseek',
        base_url: `${url}/v1`,
        protocols: ['openai-chat'],
      },
      mistral: { ...host, type: 'mistral', base_url: `${url}/v1` },
    },
  })
  const { token: key } = harness.makeKey()
  await untilKnown(harness.gateway.url, key)
  return {
    ...harness,
    url: harness.gateway.url,
    key,
    /** What reached the simulator last. */
    lastSent() {
      const sent = harness.simulator.requests().at(-1)
      if (sent === undefined) throw new Error('nothing was sent upstream')
      const body: unknown = JSON.parse(sent.body)
      return { path: sent.path, headers: sent.headers, body }
    },
  }
}

/** Where a request of each format arrives, streamed or not. */
export const UPSTREAM_PATHS: Readonly<Record<Upstream, RegExp>> = {
  chat: /^\/v1\/chat\/completions$/,
  responses: /^\/v1\/responses$/,
  claude: /^\/v1\/messages$/,
  google: /^\/v1beta\/models\/.+:(generateContent|streamGenerateContent\?alt=sse)$/,
  bedrock: /^\/model\/.+\/converse(-stream)?$/,
}

/** A picture of one pixel. */
export const PIXEL = {
  mimeType: 'image/png',
  base64:
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
} as const

export const PIXEL_URL = `data:${PIXEL.mimeType};base64,${PIXEL.base64}`

/** How each format says that picture. */
export const PIXEL_NODES: Readonly<Record<Upstream, object>> = {
  chat: { type: 'image_url', image_url: { url: PIXEL_URL } },
  responses: { type: 'input_image', image_url: PIXEL_URL },
  claude: {
    type: 'image',
    source: { type: 'base64', media_type: PIXEL.mimeType, data: PIXEL.base64 },
  },
  google: { inlineData: { mimeType: PIXEL.mimeType, data: PIXEL.base64 } },
  bedrock: { image: { format: 'png', source: { bytes: PIXEL.base64 } } },
}

/** The member by which each format is told to think. */
export const REASONING_MEMBERS: Readonly<Record<Upstream, RegExp>> = {
  chat: /^reasoning_effort$/,
  responses: /^reasoning$/,
  claude: /^(thinking|output_config)$/,
  google: /^thinkingConfig$/,
  bedrock: /^(thinking|reasoning_config|output_config)$/,
}

/** Some object in a JSON value has all the members of `wanted`. */
export function holdsNode(value: unknown, wanted: object): boolean {
  if (Array.isArray(value)) return value.some((item) => holdsNode(item, wanted))
  if (!isRecord(value)) return false
  return (
    Bun.deepMatch(wanted, value) || Object.values(value).some((item) => holdsNode(item, wanted))
  )
}

/** Some object in a JSON value has a member of such a name. */
export function holdsMember(value: unknown, name: RegExp): boolean {
  if (Array.isArray(value)) return value.some((item) => holdsMember(item, name))
  if (!isRecord(value)) return false
  return Object.entries(value).some(([key, item]) => name.test(key) || holdsMember(item, name))
}

/** The gateway reads new keys a moment after they are written. */
async function untilKnown(url: string, key: string): Promise<void> {
  const dueAtMs = performance.now() + 5_000
  const headers = { authorization: `Bearer ${key}` }
  while (!(await fetch(`${url}/v1/models`, { headers })).ok) {
    if (performance.now() > dueAtMs) throw new Error('the key did not become known')
    await Bun.sleep(20)
  }
}
