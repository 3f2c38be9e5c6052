import { describe, expect, test } from 'bun:test'
import { loadConfiguration } from '../config/load-configuration'
import {
  type PathOverride,
  type ProviderRow,
  URL_VARIABLES,
  type WireFormat,
} from '../config/provider-row'
import { CATALOG } from './catalog'

const table = CATALOG.map((row) => [row.name, row] as const)
const keyed = CATALOG.flatMap((row) =>
  row.apiKeyEnv === undefined ? [] : [[row.name, row.apiKeyEnv, row] as const]
)

/** Two ways to the same resource: whoever has its key has both, and the first serves. */
const SHARED_VARIABLES = new Map([['azure-deployments', 'azure']])

const formatsOf = ({ protocols, modelFormats = [] }: ProviderRow): readonly WireFormat[] => [
  ...new Set([...protocols, ...modelFormats.flatMap((of) => of.protocols)]),
]

const pathsOf = (override: PathOverride) =>
  typeof override === 'string' ? [override] : [override.whole, override.stream]

const namesIn = (template: string) => [...template.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name)

describe('the catalog', () => {
  test('names each provider once, and many', () => {
    const names = CATALOG.map((row) => row.name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.length).toBeGreaterThanOrEqual(45)
  })

  test('has a variable of its own for every key', () => {
    const owners = new Map<string, string>()
    for (const [name, variable] of keyed) {
      const owner = owners.get(variable)
      expect(owner).toBe(owner === undefined ? undefined : SHARED_VARIABLES.get(name))
      owners.set(variable, owner ?? name)
    }
  })

  test.each(table)('%s is a usable row', (_, row) => {
    expect(row.name).toMatch(/^[a-z0-9][a-z0-9_-]*$/)
    expect(row.protocols.length).toBeGreaterThan(0)
    expect(new Set(row.protocols).size).toBe(row.protocols.length)
    expect(new Set(row.models).size).toBe(row.models.length)
    expect(new URL(row.documentUrl).protocol).toBe('https:')
    expect(row.checked).toMatch(/^\d{4}-\d{2}-\d{2}$/)
    expect(row.apiKeyEnv ?? 'NONE').toMatch(/^[A-Z][A-Z0-9_]*$/)
  })

  test.each(table)('%s is at an address that its variables make whole', (_, row) => {
    const bases = [
      row.baseUrl,
      ...Object.values(row.variables ?? {}).flatMap((of) => Object.values(of.baseUrls ?? {})),
    ]
    for (const base of bases) {
      const url = new URL(base.replaceAll(/\{[^}]*\}/g, 'x.example'))
      expect(base.endsWith('/')).toBe(false)
      // A key in clear text may only stay on the machine.
      expect(url.protocol).toBe(row.local ? 'http:' : 'https:')
      expect(url.search + url.hash + url.username).toBe('')
      if (row.local) expect(url.hostname).toBe('127.0.0.1')
    }
  })

  test.each(table)('%s declares what its addresses hold, and nothing else', (_, row) => {
    const templates = [row.baseUrl, ...Object.values(row.paths ?? {}).flatMap(pathsOf)]
    const used = new Set(templates.flatMap(namesIn).filter((name) => name !== 'model'))
    expect([...used].toSorted()).toEqual(Object.keys(row.variables ?? {}).toSorted())
    for (const variable of Object.values(row.variables ?? {})) {
      for (const name of variable.env) expect(name).toMatch(/^[A-Z][A-Z0-9_]*$/)
      for (const base of Object.values(variable.baseUrls ?? {}))
        for (const name of namesIn(base))
          expect<readonly (string | undefined)[]>(URL_VARIABLES).toContain(name)
    }
  })

  test.each(table)('%s has paths for formats that it speaks', (_, row) => {
    const spoken: readonly string[] = formatsOf(row)
    for (const [format, override] of Object.entries(row.paths ?? {})) {
      expect(spoken).toContain(format)
      for (const path of pathsOf(override)) expect(path).toMatch(/^\/\S+$/)
    }
    if (row.modelList) expect(row.modelList.path).toMatch(/^\/\S+$/)
  })

  test.each(keyed)('%s is served when nothing but %s is set', async (name, variable, row) => {
    const needed = Object.values(row.variables ?? {}).filter((of) => of.standard === undefined)
    const named = needed.flatMap(({ env: [first] }) => (first === undefined ? [] : [[first, 'x']]))
    const env = { [variable]: 'a-key', ...Object.fromEntries(named) }
    const result = await loadConfiguration({ file: undefined, env, overrides: {}, rows: CATALOG })
    if (!result.ok) throw new Error(JSON.stringify(result.problems))
    const [provider] = result.configuration.providers
    expect(result.configuration.providers.length).toBe(1)
    expect(provider?.name).toBe(SHARED_VARIABLES.get(name) ?? name)
    // What is exchanged for a token is no key of a request.
    expect(provider?.apiKey ?? 'exchanged').toBe(row.identity === 'ibm' ? 'exchanged' : 'a-key')
  })

  test('an identity alone serves no provider that nobody named', async () => {
    const env = { GOOGLE_CLOUD_PROJECT: 'p', AWS_REGION: 'eu-west-1', AZURE_RESOURCE_NAME: 'r' }
    const result = await loadConfiguration({ file: undefined, env, overrides: {}, rows: CATALOG })
    expect(result.ok).toBe(false)
  })

  test('a token that many tools use makes no provider of its own', () => {
    const shared = ['GITHUB_TOKEN', 'LLAMA_API_KEY', 'AWS_ACCESS_KEY_ID', 'GOOGLE_API_KEY']
    expect(keyed.filter(([, variable]) => shared.includes(variable))).toEqual([])
  })
})
