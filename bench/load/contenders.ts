import { type Call, chatBody, gatewayCall, laneCall } from './call'
import { type Site, startGateway } from './gateway'
import type { Lab } from './lab'
import type { Lane } from './lanes'
import { startProxy } from './nginx'

/** Something before the upstream, or the upstream itself, while it runs. */
export type Running = {
  name: string
  /** `undefined`: nothing of it is to be measured. */
  pid: number | undefined
  call(lane: Lane): Call
  stop(): Promise<void>
}

export type Contender = { name: string; start(): Promise<Running> }

/** The upstream with nothing before it; `tls` for its HTTPS port. */
export function directContender(lab: Lab, tls = false): Contender {
  const origin = tls
    ? `https://localhost:${lab.ports.upstreamTls}`
    : `http://127.0.0.1:${lab.ports.upstream}`
  return {
    name: 'direct',
    start: async () => ({
      name: 'direct',
      pid: undefined,
      call: (lane) => laneCall(origin, lane),
      stop: async () => {},
    }),
  }
}

export function nginxContender(lab: Lab): Contender {
  return {
    name: 'nginx',
    async start() {
      const child = await startProxy(lab)
      return {
        name: 'nginx',
        pid: child.pid,
        call: (lane) => laneCall(`http://127.0.0.1:${lab.ports.proxy}`, lane),
        stop: () => lab.children.stop(child),
      }
    },
  }
}

export function gatewayContender(lab: Lab, site: Site, name = 'gateway'): Contender {
  return {
    name,
    async start() {
      const child = await startGateway(lab, site)
      return {
        name,
        pid: child.pid,
        call: (lane) => gatewayCall(lab, site.key, `${lane}/gpt-4o-mini`, lane === 'sse'),
        stop: () => lab.children.stop(child),
      }
    },
  }
}

/** Gateways that somebody else started, and ends. */
export function peerContenders({ options }: Lab): Contender[] {
  return options.peers.map(({ name, url, pid }) => ({
    name,
    start: async () => ({
      name,
      pid,
      call: (lane) => ({
        url: `${url}/v1/chat/completions`,
        key: process.env.PEER_KEY ?? 'none',
        body: chatBody(`${lane}/gpt-4o-mini`, false),
      }),
      stop: async () => {},
    }),
  }))
}
