import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../errors/gateway-error'
import { createAddressGuard } from './private-addresses'

/** A resolver that knows these names, and counts how often it was asked. */
function resolver(names: Record<string, string[]>) {
  let asked = 0
  const lookup = async (host: string) => {
    asked++
    const addresses = names[host]
    if (!addresses) throw new Error('ENOTFOUND')
    return addresses.map((address) => ({ address, family: 4 as const, ttl: 30 }))
  }
  return { lookup, asked: () => asked }
}

async function faultOf(addresses: string[], host = 'api.example') {
  const { lookup } = resolver({ 'api.example': addresses })
  try {
    await createAddressGuard(lookup)('openai', host)
  } catch (error) {
    return GatewayError.from(error)
  }
  return undefined
}

describe('createAddressGuard', () => {
  test('lets a name pass that leads outside', async () => {
    expect(await faultOf(['93.184.216.34', '2606:2800:220:1::1'])).toBeUndefined()
  })

  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '192.168.0.1',
    '172.16.0.1',
    '169.254.169.254',
    '::1',
    'fd00::1',
    '::ffff:127.0.0.1',
  ])('refuses a name that leads to %s, among others too', async (address) => {
    const fault = await faultOf(['93.184.216.34', address])
    expect(fault).toMatchObject({ code: 'upstream_unreachable', shouldRetry: false })
    expect(fault?.message).toContain('providers.openai.private_addresses: true')
  })

  test('says of a name that has no address that it has none', async () => {
    const fault = await faultOf([], 'nowhere.example')
    expect(fault?.message).toContain("nowhere.example, can't be resolved")
  })

  test('asks once for many requests', async () => {
    const { lookup, asked } = resolver({ 'api.example': ['93.184.216.34'] })
    const guard = createAddressGuard(lookup)
    await guard('openai', 'api.example')
    expect(guard('openai', 'api.example')).toBeUndefined()
    expect(asked()).toBe(1)
  })

  test('asks again for a name it refused', async () => {
    const { lookup, asked } = resolver({ 'api.example': ['127.0.0.1'] })
    const guard = createAddressGuard(lookup)
    for (let times = 0; times < 2; times++)
      await expect(guard('openai', 'api.example')).rejects.toThrow(/private address/)
    expect(asked()).toBe(2)
  })
})
