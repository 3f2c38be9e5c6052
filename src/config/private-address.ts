// Not node:net's BlockList: loading that module alone takes a tenth of the time a start may take.

/** IPv4 networks that are private, shared, loopback, link-local or unspecified: address, bits. */
const PRIVATE_NETWORKS = [
  [0x00_00_00_00, 8],
  [0x0a_00_00_00, 8],
  [0x64_40_00_00, 10],
  [0x7f_00_00_00, 8],
  [0xa9_fe_00_00, 16],
  [0xac_10_00_00, 12],
  [0xc0_a8_00_00, 16],
] as const

/**
 * Whether `host`, a literal address (with or without brackets) or a name, is private, loopback,
 * link-local or unspecified. Of names only `localhost` and those below it are known to be.
 */
export function isPrivateHost(host: string): boolean {
  const address = toCanonical(host)
  const ipv4 = toIpv4(address)
  if (ipv4 !== undefined) {
    return PRIVATE_NETWORKS.some(([network, bits]) => (ipv4 ^ network) >>> (32 - bits) === 0)
  }
  return isLocalhost(address) || /^\[(::1?|f[cd]..:.*|fe[89ab].:.*)\]$/.test(address)
}

/** Whether listening on `host` is reachable from this machine alone. */
export function isLoopbackHost(host: string): boolean {
  const address = toCanonical(host)
  const ipv4 = toIpv4(address)
  if (ipv4 !== undefined) return ipv4 >>> 24 === 127
  return isLocalhost(address) || address === '[::1]'
}

function isLocalhost(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost')
}

/** The one spelling that URLs give each address: `127.1` is `127.0.0.1`, `0:0::1` is `[::1]`. */
function toCanonical(host: string): string {
  if (/[/\\?#@]/.test(host)) return host
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return URL.parse(`http://${bracketed}/`)?.hostname ?? host
}

/** The number of a canonical IPv4 address, also of one within IPv6 (`::ffff:0:0/96`). */
function toIpv4(address: string): number | undefined {
  const octets = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  if (octets !== null) {
    return octets.slice(1).reduce((number, octet) => ((number << 8) | Number(octet)) >>> 0, 0)
  }
  const mapped = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(address)
  if (mapped === null) return undefined
  return ((parseInt(mapped[1] ?? '', 16) << 16) | parseInt(mapped[2] ?? '', 16)) >>> 0
}
