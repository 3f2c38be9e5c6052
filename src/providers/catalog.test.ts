import { describe, expect, test } from 'bun:test'
import { loadConfiguration } from '../config/load-configuration'
import { isChatProtocol } from '../protocols/chat-protocols'
import { CATALOG } from './catalog'

describe('the catalog', () => {
  test('names each provider once', () => {
    const names = CATALOG.map((row) => row.name)
    expect(new Set(names).size).toBe(names.length)
  })

  test.each(CATALOG.map((row) => [row.name, row] as const))('%s is a usable row', (_, row) => {
    const url = new URL(row.baseUrl)
    expect(row.name).toMatch(/^[a-z0-9][a-z0-9_-]*$/)
    expect(row.baseUrl.endsWith('/')).toBe(false)
    // A key in clear text may only stay on the machine.
    expect(url.protocol).toBe(row.local ? 'http:' : 'https:')
    expect(row.protocols.some((name) => isChatProtocol(name))).toBe(true)
    expect(new Set(row.models).size).toBe(row.models.length)
    expect(URL.canParse(row.documentUrl)).toBe(true)
    expect(row.checked).toMatch(/^\d{4}-\d{2}-\d{2}$/)
    if (!row.local) expect(row.apiKeyEnv).toMatch(/^[A-Z0-9]+_API_KEY$|^AWS_BEARER_TOKEN_BEDROCK$/)
  })

  test.each(
    CATALOG.flatMap((row) => (row.apiKeyEnv === undefined ? [] : [[row.name, row.apiKeyEnv]]))
  )('%s is served when nothing but %s is set', async (name, variable) => {
    const env = { [variable]: 'a-key' }
    const result = await loadConfiguration({ file: undefined, env, overrides: {}, rows: CATALOG })
    if (!result.ok) throw new Error(JSON.stringify(result.problems))
    expect(result.configuration.providers).toMatchObject([{ name, apiKey: 'a-key' }])
  })
})
