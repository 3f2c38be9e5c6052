import { describe, expect, test } from 'bun:test'

import { providerConfiguration } from './fixtures/configuration'
import { createProvider } from './provider'

const CONFIGURATION = providerConfiguration({
  baseUrl: 'https://api.host.example:8443/v1',
  apiKey: 'sk-host',
})

describe('createProvider', () => {
  test('has its headers ready: the credential, and no wish for compression', () => {
    expect(createProvider(CONFIGURATION)).toMatchObject({
      name: 'host',
      origin: 'https://api.host.example:8443',
      host: 'api.host.example',
      headers: {
        'openai-chat': {
          authorization: 'Bearer sk-host',
          'accept-encoding': 'identity',
          'content-type': 'application/json',
        },
      },
    })
  })

  test('sends no credential where there is none', () => {
    const { headers } = createProvider({ ...CONFIGURATION, apiKey: undefined })
    expect(headers['openai-chat']).not.toHaveProperty('authorization')
  })

  test('lets extra headers have the last word', () => {
    const extra = { 'user-agent': 'mine', 'x-org': 'a' }
    const { headers } = createProvider({ ...CONFIGURATION, headers: extra })
    expect(headers['openai-chat']).toMatchObject(extra)
  })

  test('shows its credential as each format wants it', () => {
    const { headers } = createProvider({
      ...CONFIGURATION,
      protocols: ['anthropic-messages', 'gemini', 'bedrock-converse'],
    })
    expect(headers).toMatchObject({
      'anthropic-messages': { 'x-api-key': 'sk-host', 'anthropic-version': '2023-06-01' },
      gemini: { 'x-goog-api-key': 'sk-host' },
      'bedrock-converse': { authorization: 'Bearer sk-host' },
    })
  })

  test('says of a proxy either way, so that the environment has no say', () => {
    expect(createProvider(CONFIGURATION).transport).toEqual({ proxy: false })
    const proxied = createProvider({ ...CONFIGURATION, proxy: 'http://proxy.example:3128' })
    expect(proxied.transport).toEqual({ proxy: 'http://proxy.example:3128' })
  })

  test('trusts certificates of its own, where TLS is spoken', () => {
    const caPem = '-----BEGIN CERTIFICATE-----'
    expect(createProvider({ ...CONFIGURATION, caPem }).transport.tls).toEqual({ ca: caPem })
    const clear = createProvider({ ...CONFIGURATION, caPem, baseUrl: 'http://host.example/v1' })
    expect(clear.transport).not.toHaveProperty('tls')
  })
})
