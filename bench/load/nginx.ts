import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Child } from './children'
import type { Lab } from './lab'
import { untilListening } from './raw-client'
import { ANSWER, STREAM_FRAME, STREAM_FRAMES, STREAM_LAST_FRAMES } from './upstream-answers'

/** Within the bench's directory: what the upstream answers to embeddings. */
export const EMBEDDINGS_FILE = 'embeddings.json'

/**
 * The upstream: an OpenAI answer of 1 KB, at once, after 60 ms or after 500 ms, and a stream of 100 frames
 * at 20 ms; over clear text, and over TLS with HTTP/2 and without.
 */
export async function startUpstream(lab: Lab): Promise<Child> {
  const { directory, ports, machine } = lab
  const frames = `echo '${STREAM_FRAME}'; echo_flush; echo_sleep 0.02;\n`.repeat(STREAM_FRAMES)
  const last = STREAM_LAST_FRAMES.map((frame) => `echo '${frame}';`).join('\n')
  return startNginx(lab, 'upstream', {
    ports: [ports.upstream, ports.upstreamTls, ports.upstreamTls1],
    cpu: lab.cpus.load,
    modules: machine.echoModule ? `load_module ${machine.echoModule};` : '',
    http: `postpone_output 0; keepalive_timeout 3600;
 server {
  listen 127.0.0.1:${ports.upstream} backlog=4096;
  listen 127.0.0.1:${ports.upstreamTls} ssl http2 backlog=4096;
  listen 127.0.0.1:${ports.upstreamTls1} ssl backlog=4096;
  http2_max_concurrent_streams 512;
  ssl_certificate ${lab.certificateFile}; ssl_certificate_key ${join(directory, 'key.pem')};
  location = /v1/chat/completions { default_type application/json; return 200 '${ANSWER}'; }
  location = /slow/v1/chat/completions { echo_sleep 0.06; echo_exec /v1/chat/completions; }
  location = /slow500/v1/chat/completions { echo_sleep 0.5; echo_exec /v1/chat/completions; }
  location = /sse/v1/chat/completions {
   default_type text/event-stream; echo_read_request_body;
${frames}${last} }
  location = /v1/embeddings {
   default_type application/json; root ${directory}; error_page 405 =200 /${EMBEDDINGS_FILE};
   try_files /${EMBEDDINGS_FILE} =404; client_max_body_size 8m; }
  location = /${EMBEDDINGS_FILE} { default_type application/json; root ${directory}; }
  location = /status { stub_status; }
 }`,
  })
}

/** The yardstick: nginx as a plain reverse proxy before the upstream, streams unbuffered. */
export async function startProxy(lab: Lab): Promise<Child> {
  const { directory, ports } = lab
  const forward =
    'proxy_pass http://upstream; proxy_http_version 1.1; proxy_set_header Connection "";'
  return startNginx(lab, 'proxy', {
    ports: [ports.proxy],
    cpu: lab.cpus.gateway,
    modules: '',
    http: `proxy_temp_path ${join(directory, 'proxy-temp')};
 upstream upstream {
  server 127.0.0.1:${ports.upstream}; keepalive 512; keepalive_requests 1000000000;
 }
 server {
  listen 127.0.0.1:${ports.proxy} backlog=4096;
  location / { ${forward} }
  location /sse/ { ${forward} proxy_buffering off; }
 }`,
  })
}

type NginxSettings = { ports: number[]; cpu: number; modules: string; http: string }

async function startNginx(lab: Lab, name: string, settings: NginxSettings): Promise<Child> {
  const path = (suffix: string) => join(lab.directory, `${name}${suffix}`)
  writeFileSync(
    path('.conf'),
    `worker_processes 1; worker_rlimit_nofile 16384; daemon off;
pid ${path('.pid')}; error_log ${path('.log')};
${settings.modules}
events { worker_connections 8192; }
http {
 access_log off; keepalive_requests 1000000000;
 client_body_temp_path ${path('-body')}; fastcgi_temp_path ${path('-fastcgi')};
 uwsgi_temp_path ${path('-uwsgi')}; scgi_temp_path ${path('-scgi')};
 ${settings.http}
}
`
  )
  const command = ['nginx', '-e', path('.log'), '-c', path('.conf')]
  const child = lab.children.start(name, command, settings.cpu)
  for (const port of settings.ports) await untilListening(port, child)
  return child
}

export type UpstreamCounts = { accepts: number; requests: number }

/** Connections accepted and requests served by the upstream so far. */
export async function readUpstreamCounts(lab: Lab): Promise<UpstreamCounts> {
  const response = await fetch(`http://127.0.0.1:${lab.ports.upstream}/status`, {
    keepalive: false,
  })
  const [, accepts, , requests] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s*$/m.exec(await response.text()) ?? []
  return { accepts: Number(accepts), requests: Number(requests) }
}

/** The share of requests between two counts that found a connection open. */
export function reuseBetween(before: UpstreamCounts, after: UpstreamCounts): number {
  // Reading the second counts was a request on a connection of its own.
  const requests = after.requests - before.requests - 1
  return 1 - (after.accepts - before.accepts - 1) / requests
}
