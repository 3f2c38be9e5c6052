import { isPrivateHost } from './private-address'

/**
 * The proxy that the environment asks for on the way to `url` (`HTTPS_PROXY`, `HTTP_PROXY`, either
 * case), or `undefined`. `NO_PROXY` lists hosts to reach directly, a domain for all below it too;
 * private addresses are always reached directly, since a proxy elsewhere can't.
 */
export function chooseEnvironmentProxy(
  url: URL,
  env: Readonly<Record<string, string | undefined>>
): string | undefined {
  const variable = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const proxy = env[variable] || env[variable.toLowerCase()]
  if (!proxy || !URL.canParse(proxy) || isPrivateHost(url.hostname)) return undefined
  const direct = (env['NO_PROXY'] || env['no_proxy'] || '').split(',').map((entry) => entry.trim())
  return direct.some((entry) => matchesHost(entry, url)) ? undefined : proxy
}

function matchesHost(entry: string, url: URL): boolean {
  const domain = entry.toLowerCase().replace(/^\*?\./, '')
  if (domain === '') return false
  const isBelow = url.hostname.endsWith(`.${domain}`)
  return domain === '*' || domain === url.hostname || domain === url.host || isBelow
}
