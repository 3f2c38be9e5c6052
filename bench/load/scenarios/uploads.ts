import { connect } from 'node:net'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { atMost, report } from '../figures'
import { createSite, startGateway } from '../gateway'
import { readMemory, withPeakPss } from '../processes'
import type { Scenario } from '../scenario'

const UPLOADS = 200
const MEGABYTES = 100
/**
 * A buffer of a megabyte, and a little more. Bun 1.4.5 itself reads a megabyte ahead of whoever reads a body, and hands over
 * as much at once: a reader that only waits has 2.6 MB of each.
 */
const MOST_BYTES = 1024 * 1024 + 64_000
const PIECE = Buffer.alloc(256 * 1024, 'x')
const SETTLE_MS = 2_000

export const uploads: Scenario = {
  name: 'uploads',
  summary:
    '200 uploads of 100 MB at once (--uploads, --megabytes): memory of each; 20 GB of disk (5 minutes)',
  async run(lab) {
    const { uploads: count = UPLOADS, megabytes = MEGABYTES } = lab.options
    const upstream = startCounting(lab.ports.upstream)
    const site = await createSite(lab, 'uploads')
    const child = await startGateway(lab, site)
    const call = { port: lab.ports.gateway, key: site.key }
    await Promise.all(Array.from({ length: 8 }, () => upload(call, 4_000_000)))
    await Bun.sleep(SETTLE_MS)
    const before = readMemory(child.pid).pssBytes
    const startedAtMs = performance.now()
    const { result, peakPssBytes } = await withPeakPss(child.pid, () =>
      Promise.all(Array.from({ length: count }, () => upload(call, megabytes * 1e6)))
    )
    const tookSeconds = (performance.now() - startedAtMs) / 1e3
    const failed = result.filter((status) => status !== 200).length
    const left = readdirSync(join(site.dataDirectory, 'uploads')).length
    await lab.children.stop(child)
    const whole = upstream.whole()
    await upstream.stop()
    const eachBytes = (peakPssBytes - before) / count
    return [
      report('gateway memory (PSS) before', 'MB', before / 1e6),
      report('gateway memory (PSS), highest', 'MB', peakPssBytes / 1e6),
      report('all of them took', 's', tookSeconds),
      atMost(MOST_BYTES / 1e3, 'memory of an upload', 'KB', eachBytes / 1e3),
      atMost(0, 'failed', 'uploads', failed),
      atMost(0, 'arrived in part', 'uploads', count + 8 - whole),
      atMost(0, 'files left behind', 'files', left),
    ]
  },
}

/** Takes files as they come, keeps nothing, and knows how many came whole. */
function startCounting(port: number) {
  let whole = 0
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    idleTimeout: 0,
    async fetch(request) {
      if (request.method === 'GET') return Response.json({ object: 'list', data: [] })
      const declared = Number(request.headers.get('content-length'))
      let bytes = 0
      for await (const chunk of request.body ?? []) bytes += chunk.length
      if (bytes === declared) whole++
      return Response.json({ id: `file-${crypto.randomUUID()}`, object: 'file', bytes })
    },
  })
  return { whole: () => whole, stop: () => server.stop(true) }
}

/** Sends a form with one file, as fast as it is taken; gives the status of the answer. */
function upload({ port, key }: { port: number; key: string }, fileBytes: number): Promise<number> {
  const head =
    '--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n' +
    '--b\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n' +
    'content-type: application/octet-stream\r\n\r\n'
  const tail = '\r\n--b--\r\n'
  const length = head.length + fileBytes + tail.length
  const { promise, resolve } = Promise.withResolvers<number>()
  const socket = connect(port, '127.0.0.1', () => {
    socket.write(
      `POST /v1/files?provider=fast HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n` +
        `authorization: Bearer ${key}\r\ncontent-type: multipart/form-data; boundary=b\r\n` +
        `content-length: ${length}\r\n\r\n${head}`
    )
    write()
  })
  let sent = 0
  function write(): void {
    while (sent < fileBytes) {
      const piece = PIECE.subarray(0, Math.min(PIECE.length, fileBytes - sent))
      sent += piece.length
      if (!socket.write(piece)) return
    }
    if (sent === fileBytes) {
      sent++
      socket.write(tail)
    }
  }
  let answer = ''
  socket.on('drain', write)
  socket.on('data', (bytes: Buffer) => {
    answer += bytes.toString('latin1')
  })
  socket.on('error', () => resolve(0))
  socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)))
  return promise
}
