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
        authorization: 'Bearer sk-host',
        'accept-encoding': 'identity',
        'content-type': 'application/json',
      },
    })
  })

  test('sends no credential where there is none', () => {
    const { headers } = createProvider({ ...CONFIGURATION, apiKey: undefined })
    expect(headers).not.toHaveProperty('authorization')
  })

  test('lets extra headers have the last word', () => {
    const extra = { 'user-agent': 'mine', 'x-org': 'a' }
    const { headers } = createProvider({ ...CONFIGURATION, headers: extra })
    expect(headers).toMatchObject(extra)
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
