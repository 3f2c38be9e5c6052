import { describe, expect, test } from 'bun:test'
import { isLoopbackHost, isPrivateHost } from './private-address'

describe('an address is', () => {
  test.each([
    ...['localhost', 'api.localhost', 'LOCALHOST', '127.0.0.1', '127.255.0.9', '127.1'],
    ...['::1', '[::1]', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'],
  ])('loopback, and so private: %s', (host) => {
    expect(isLoopbackHost(host)).toBe(true)
    expect(isPrivateHost(host)).toBe(true)
  })

  test.each([
    ...['0.0.0.0', '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...['169.254.169.254', '100.64.0.1', '100.127.255.255', '0xa000001', '::', '[::]'],
    ...['fc00::1', 'fdff::1', 'fe80::1', 'febf::1', '::ffff:10.0.0.1', '[::ffff:a9fe:a9fe]'],
  ])('private, not loopback: %s', (host) => {
    expect(isLoopbackHost(host)).toBe(false)
    expect(isPrivateHost(host)).toBe(true)
  })

  test.each([
    ...['8.8.8.8', '9.255.255.255', '11.0.0.0', '172.15.0.1', '172.32.0.1', '192.169.0.1'],
    ...['100.63.0.1', '100.128.0.1', '126.0.0.1', '128.0.0.1', '2001:db8::1', 'fe00::1', 'fec0::1'],
    ...['::ffff:8.8.8.8', 'api.openai.com', '127.0.0.1.example.com', 'localhost.example.com'],
    ...['', 'not a host', '10.0.0.1/8'],
  ])('neither: %p', (host) => {
    expect(isLoopbackHost(host)).toBe(false)
    expect(isPrivateHost(host)).toBe(false)
  })
})
