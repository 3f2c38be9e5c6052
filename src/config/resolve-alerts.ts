import type { AlertSettings, WebhookSettings } from './alerts'
import type { AlertsFields, WebhookFields } from './alerts-fields'
import { chooseEnvironmentProxy } from './environment-proxy'
import { isPrivateHost } from './private-address'
import type { FieldPath, Report } from './problem'
import { expandReferences, type ReferenceSource } from './references'

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme */
const SECRET_BYTES = { least: 24, most: 64 }
const SECRET_FORM = 'whsec_ and 24 to 64 bytes in base64'

/** Who is told of alerts, addresses and secrets read. What is wrong is reported. */
export async function resolveAlerts(
  given: AlertsFields,
  source: ReferenceSource,
  report: Report
): Promise<AlertSettings> {
  const webhooks = await Promise.all(
    Object.entries(given.webhooks).map(([name, webhook]) =>
      resolveWebhook(name, webhook, source, report)
    )
  )
  return {
    thresholds: given.thresholds.toSorted((a, b) => a - b),
    unsettledAfterMs: given.unsettled_after,
    webhooks: webhooks.filter((webhook) => webhook !== undefined),
  }
}

async function resolveWebhook(
  name: string,
  given: WebhookFields,
  source: ReferenceSource,
  report: Report
): Promise<WebhookSettings | undefined> {
  const path = ['alerts', 'webhooks', name]
  const expand = async (text: string, at: FieldPath) => {
    const expansion = await expandReferences(text, source)
    if (expansion.ok) return expansion.text
    report([...path, ...at], expansion.details)
    return undefined
  }
  const written = await expand(given.url, ['url'])
  const url = written === undefined ? undefined : toAddress(written)
  if (written !== undefined && url === undefined)
    report([...path, 'url'], {
      message: 'is no address that can be posted to',
      allowed: 'an http:// or https:// address without credentials and fragment',
    })
  const secrets: string[] = []
  const references = typeof given.secret === 'string' ? [given.secret] : given.secret
  for (const reference of references) {
    const secret = await expand(reference, ['secret'])
    if (secret !== undefined && isSecret(secret)) secrets.push(secret)
    else if (secret !== undefined)
      report([...path, 'secret'], {
        message: `refers to ${reference}, which is no secret of a webhook`,
        allowed: SECRET_FORM,
        fix: 'make one: echo "whsec_$(openssl rand -base64 32)"',
      })
  }
  const headers: Record<string, string> = {}
  for (const [header, text] of Object.entries(given.headers)) {
    const value = await expand(text, ['headers', header])
    if (value !== undefined) headers[header.toLowerCase()] = value
  }
  if (url === undefined) return undefined
  return {
    name,
    url: url.href,
    secrets,
    events: given.events,
    subjects: given.subjects,
    headers,
    timeoutMs: given.timeout,
    privateAddresses: given.private_addresses ?? isPrivateHost(url.hostname),
    proxy: chooseEnvironmentProxy(url, source.env),
  }
}

function toAddress(written: string): URL | undefined {
  const url = URL.parse(written)
  const isFit =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    url.hash === ''
  return isFit ? url : undefined
}

function isSecret(text: string): boolean {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1]
  if (base64 === undefined || base64.length % 4 !== 0) return false
  const { length } = Buffer.from(base64, 'base64')
  return length >= SECRET_BYTES.least && length <= SECRET_BYTES.most
}
