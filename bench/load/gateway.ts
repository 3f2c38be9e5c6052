import { join } from 'node:path'
import { z } from 'zod'
import { gatewayCall } from './call'
import type { Child } from './children'
import type { Lab } from './lab'
import { LANES } from './lanes'
import { untilAnswered, untilListening } from './raw-client'

const START_LIMIT_MS = 20_000

/** What a gateway is started with: it outlives its processes. */
export type Site = { configFile: string; dataDirectory: string; key: string }

export type SiteOptions = {
  /** Keys are required unless told, and one is made. */
  keysRequired?: boolean
  /** The provider `slow500` over TLS and HTTP/2. */
  tls?: boolean
  /** Every model has a price. */
  prices?: boolean
  /** More providers on this machine, by name and port. */
  providers?: Readonly<Record<string, number>>
  /** More providers over TLS, by name and base URL without `/v1`. */
  tlsProviders?: Readonly<Record<string, string>>
  /** What each of them says beside its address. */
  providerSettings?: string
  /** More of the configuration. */
  more?: string
  /** Every model has one, and six budgets count every request. */
  budgets?: boolean
}

const PRICES = "models: { '*/*': { price: { input: 1, output: 2 } } }\n"

/** Wide enough for any bench: what they cost is asked, not what they refuse. */
const BUDGETS = `budgets:
${['organization', 'key/*', 'provider/*', 'model/*', 'key/*+provider/*', 'key/*+model/*']
  .map((subject) => `  - { subject: '${subject}', limit_usd: 1000000, window: 30d }`)
  .join('\n')}
`

/** Writes a configuration with all lanes and the simulator as providers, and makes a key. */
export async function createSite(
  lab: Lab,
  name: string,
  { keysRequired = true, tls = false, prices = false, budgets = false, ...rest }: SiteOptions = {}
): Promise<Site> {
  const { directory, ports, options, children } = lab
  const dataDirectory = join(directory, `${name}-data`)
  const configFile = join(directory, `${name}.yaml`)
  const origin = `http://127.0.0.1:${ports.upstream}`
  const providers = Object.entries(LANES).map(([lane, path]) => provider(lane, `${origin}${path}`))
  if (tls) {
    const secure = `https://localhost:${ports.upstreamTls}${LANES.slow500}`
    providers.splice(
      Object.keys(LANES).indexOf('slow500'),
      1,
      provider('slow500', secure, `, ca: "${lab.certificateFile}"`)
    )
  }
  providers.push(provider('sim', `http://127.0.0.1:${ports.simulator}`))
  const settings = rest.providerSettings === undefined ? '' : `, ${rest.providerSettings}`
  for (const [name, port] of Object.entries(rest.providers ?? {}))
    providers.push(provider(name, `http://127.0.0.1:${port}`, settings))
  for (const [name, base] of Object.entries(rest.tlsProviders ?? {}))
    providers.push(provider(name, base, `, ca: "${lab.certificateFile}"`))
  await Bun.write(
    configFile,
    `server: { host: 127.0.0.1, port: ${ports.gateway} }
keys: { required: ${keysRequired} }
providers:
${providers.join('\n')}
${prices || budgets ? PRICES : ''}${budgets ? BUDGETS : ''}${rest.more ?? ''}`
  )
  if (!keysRequired) return { configFile, dataDirectory, key: 'none' }
  const created = await children.run(
    [
      ...options.gateway,
      ...['keys', 'create', '--name', 'bench', '--json', '--data', dataDirectory],
    ],
    { limitMs: 10_000 }
  )
  const { key } = z.object({ key: z.string() }).parse(JSON.parse(created))
  return { configFile, dataDirectory, key }
}

/** Starts `serve` on the gateway's CPU, without waiting for anything. */
export function launchGateway(lab: Lab, { configFile, dataDirectory }: Site): Child {
  const command = [
    ...lab.options.gateway,
    ...['serve', '--config', configFile, '--data', dataDirectory],
  ]
  return lab.children.start('gateway', command, lab.cpus.gateway)
}

/** Starts the gateway and waits until it accepts connections. */
export async function startGateway(lab: Lab, site: Site): Promise<Child> {
  const child = launchGateway(lab, site)
  await untilListening(lab.ports.gateway, child)
  return child
}

/** Starts the gateway and waits until it has answered for a model; gives the milliseconds since exec. */
export async function startAnswering(
  lab: Lab,
  site: Site,
  model: string
): Promise<{ child: Child; tookMs: number }> {
  const startedAtMs = performance.now()
  const child = launchGateway(lab, site)
  await untilAnswered(gatewayCall(lab, site.key, model, false), child, START_LIMIT_MS)
  return { child, tookMs: performance.now() - startedAtMs }
}

/** The provider simulator as a process of its own, on the load's CPU. */
export async function startSimulator(lab: Lab, port = lab.ports.simulator): Promise<Child> {
  const { options, children, cpus } = lab
  const command = [...options.gateway, 'simulate', '--port', String(port)]
  const child = children.start('simulator', command, cpus.load)
  await untilListening(port, child)
  return child
}

const simulatorStats = z.object({
  requests: z.number(),
  open: z.number(),
  cancelled: z.number(),
})

export async function readSimulatorStats(lab: Lab) {
  const response = await fetch(`http://127.0.0.1:${lab.ports.simulator}/sim/stats`, {
    keepalive: false,
  })
  return simulatorStats.parse(await response.json())
}

function provider(name: string, base: string, more = ''): string {
  return `  ${name}: { type: openai, base_url: "${base}/v1", api_key: none, model_list: false, proxy: none${more} }`
}
