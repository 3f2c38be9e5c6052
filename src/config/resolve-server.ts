import { resolve } from 'node:path'
import type { ServerConfiguration, TlsConfiguration } from './configuration'
import { isLoopbackHost } from './private-address'
import type { Report } from './problem'
import { readText } from './read-text'
import type { ConfigurationFile } from './schema'

const MAX_PEM_BYTES = 1024 * 1024

/**
 * The server's settings with its certificate read. Reports certificates that can't work, limits
 * that contradict each other, and a public address that is not protected.
 */
export async function resolveServer(
  file: ConfigurationFile,
  directory: string,
  report: Report
): Promise<ServerConfiguration> {
  const { server } = file
  checkPublicAddress(file, report)
  if (server.max_bodies < server.max_body) {
    const message = 'is less than server.max_body, so that no request could use that'
    report(['server', 'max_bodies'], { message })
  }
  return {
    host: server.host,
    port: server.port,
    tls: server.tls === undefined ? undefined : await readTls(server.tls, directory, report),
    behindProxy: server.behind_proxy,
    maxBodyBytes: server.max_body,
    maxUploadBytes: server.max_upload,
    maxBodiesBytes: server.max_bodies,
    maxInFlight: server.max_in_flight,
    headHoldMs: server.head_hold,
    heartbeatMs: server.heartbeat,
    clientStallMs: server.client_stall,
    fetchImages: server.fetch_images,
    warmConnections: server.warm_connections,
    drain: {
      readinessDelayMs: server.drain.readiness_delay,
      limitMs: server.drain.limit,
    },
  }
}

function checkPublicAddress({ server, keys }: ConfigurationFile, report: Report): void {
  if (isLoopbackHost(server.host)) return
  const found = server.host
  if (!keys.required) {
    report(['server', 'host'], {
      message: 'can be reached by others, who would need no key',
      found,
      fix: 'set keys.required: true, or server.host: 127.0.0.1',
    })
  }
  if (server.tls === undefined && !server.behind_proxy) {
    report(['server', 'host'], {
      message: 'can be reached by others, and keys would travel in clear text',
      found,
      fix: 'set server.tls, or server.behind_proxy: true where a proxy in front does TLS',
    })
  }
}

async function readTls(
  tls: { cert: string; key: string },
  directory: string,
  report: Report
): Promise<TlsConfiguration | undefined> {
  const [cert, key] = await Promise.all([
    readText(resolve(directory, tls.cert), MAX_PEM_BYTES),
    readText(resolve(directory, tls.key), MAX_PEM_BYTES),
  ])
  if (!cert.ok) report(['server', 'tls', 'cert'], { message: `names a file that ${cert.reason}` })
  if (!key.ok) report(['server', 'tls', 'key'], { message: `names a file that ${key.reason}` })
  if (!cert.ok || !key.ok) return undefined
  const fault = await findTlsFault(cert.text, key.text)
  if (fault === undefined) return { certPem: cert.text, keyPem: key.text }
  report(['server', 'tls', fault.field], { message: fault.message })
  return undefined
}

/** A wrong pair would only show in the first client's handshake. */
async function findTlsFault(
  certPem: string,
  keyPem: string
): Promise<{ field: 'cert' | 'key'; message: string } | undefined> {
  const { X509Certificate, createPrivateKey } = await import('node:crypto')
  const certificate = attempt(() => new X509Certificate(certPem))
  if (certificate === undefined) {
    return { field: 'cert', message: 'names a file without a PEM certificate' }
  }
  const key = attempt(() => createPrivateKey(keyPem))
  if (key === undefined) {
    return { field: 'key', message: 'names a file without an unencrypted PEM private key' }
  }
  if (certificate.checkPrivateKey(key)) return undefined
  return { field: 'key', message: 'names a private key that is not the one of server.tls.cert' }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
