import { describe, expect, test } from 'bun:test'
import type { ProviderConfiguration } from '../../src/config/configuration'
import { parseConfiguration } from '../../src/config/load-configuration'
import { findInference } from '../../src/http/inference-routes'
import { upstreamProtocol } from '../../src/protocols/chat-protocols'
import { CATALOG } from '../../src/providers/catalog'
import { createProvider, toPath } from '../../src/providers/provider'
import { EXPECTED_CALLS, type ExpectedCall } from './expected'
import { KEY } from './expected-call'

const table = EXPECTED_CALLS.map((call) => {
  const place = call.settings['region'] ?? call.settings['api_version'] ?? ''
  return [`${call.name} ${place}`.trim(), call.format, call] as const
})

/** The provider as its settings and a key make it; where an identity signs, a key would stand in its way. */
async function configure({ name, settings, credential }: ExpectedCall) {
  const isKeyless = credential.kind === 'identity' && credential.identity !== 'ibm'
  const fields = { ...(!isKeyless && { api_key: '${THE_KEY}' }), ...settings }
  const text = JSON.stringify({ providers: { [name]: fields } })
  const options = { env: { THE_KEY: KEY }, overrides: {}, rows: CATALOG }
  const result = await parseConfiguration(text, { ...options, name: 'test.json', directory: '/' })
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  const [provider] = result.configuration.providers
  if (provider === undefined) throw new Error(`${name} is not there`)
  return provider
}

const formatsFor = (model: string, { modelFormats, protocols }: ProviderConfiguration) =>
  modelFormats.find(({ models }) => new Bun.Glob(models).match(model))?.protocols ?? protocols

/** What is kept under ids: uploads.test.ts and batches.test.ts have it. */
const UNCALLED = /-(files|batches)$/

describe('each row against what its documents say', () => {
  test('every format of every row has a call', () => {
    const calls = new Set(EXPECTED_CALLS.map(({ name, format }) => `${name} ${format}`))
    const spoken = CATALOG.flatMap(({ name, protocols, modelFormats = [] }) =>
      [...protocols, ...modelFormats.flatMap((of) => of.protocols)]
        .filter((format) => !UNCALLED.test(format))
        .map((of) => `${name} ${of}`)
    )
    expect([...calls].toSorted()).toEqual([...new Set(spoken)].toSorted())
  })

  test.each(table)('%s is asked by %s where and as its document says', async (_, format, call) => {
    const configuration = await configure(call)
    const provider = createProvider(configuration)
    expect<readonly string[]>(formatsFor(call.model, configuration)).toContain(format)
    const upstream = upstreamProtocol(format)
    // A format that is a name alone so far has no address to look at.
    if (upstream === undefined) return
    const { baseUrl } = configuration
    const urlOf = (stream: boolean) =>
      baseUrl + toPath(provider, upstream, { model: call.model, stream })
    expect(urlOf(false)).toBe(call.origin + call.whole)
    if (call.stream !== undefined) expect(urlOf(true)).toBe(call.origin + call.stream)
    expect(provider.headers[format]).toMatchObject(call.headers)
  })

  test.each(table)('%s is shown the key in %s as its document says', async (_, format, call) => {
    const configuration = await configure(call)
    const headers = Object.entries(createProvider(configuration).headers[format] ?? {})
    const shown = headers.filter(([, value]) => value.includes(KEY))
    const { credential } = call
    if (credential.kind === 'header') {
      expect(shown).toEqual([[credential.name, credential.value]])
      expect(configuration.identity).toBeUndefined()
      return
    }
    expect(shown).toEqual([])
    const identity = credential.kind === 'identity' ? credential.identity : 'none'
    expect(configuration.identity?.kind ?? 'none').toBe(identity)
  })

  test('a Tollgate serves what the row of another Tollgate asks for', () => {
    for (const call of EXPECTED_CALLS.filter(({ name }) => name === 'tollgate')) {
      const [path = '', query] = (call.stream ?? call.whole).split('?')
      const found = findInference(path, query === undefined ? '' : `?${query}`)
      expect<string | undefined>(found?.protocol.name).toBe(call.format)
    }
  })
})
