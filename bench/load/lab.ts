import type { Children } from './children'
import type { Cpus, Machine } from './machine'
import type { Options } from './options'

/** What every scenario works with. */
export type Lab = {
  /** Everything written goes here; it is gone when the bench ends. */
  directory: string
  certificateFile: string
  cpus: Cpus
  machine: Machine
  options: Options
  ports: Ports
  children: Children
  /** Progress, for the person who waits. */
  say(line: string): void
}

export type Ports = {
  upstream: number
  upstreamTls: number
  /** Without HTTP/2. */
  upstreamTls1: number
  proxy: number
  gateway: number
  simulator: number
}

/** The ports behind `base`, fixed so that another gateway can be configured for them beforehand. */
export function portsFrom(base: number): Ports {
  return {
    upstream: base + 1,
    upstreamTls: base + 2,
    proxy: base + 3,
    gateway: base + 4,
    simulator: base + 5,
    upstreamTls1: base + 6,
  }
}

export async function makeCertificate(
  children: Children,
  keyFile: string,
  certificateFile: string
): Promise<void> {
  await children.run(
    [
      ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
      ...['-nodes', '-keyout', keyFile, '-out', certificateFile, '-days', '30'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ],
    { limitMs: 10_000 }
  )
}
