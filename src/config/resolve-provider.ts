import { resolve } from 'node:path'
import { nearestName } from '../std/nearest-name'
import type { ProviderConfiguration } from './configuration'
import { chooseEnvironmentProxy } from './environment-proxy'
import { isPrivateHost } from './private-address'
import type { FieldReport, Report } from './problem'
import type { ProviderFields } from './provider-fields'
import {
  FAMILY_MODEL_LISTS,
  FAMILY_PROTOCOLS,
  IDENTITIES,
  type ModelListPlace,
  PROVIDER_FAMILIES,
  type ProviderRow,
  type ProviderQuirks,
} from './provider-row'
import { readText } from './read-text'
import { type ReferenceSource, expandReferences } from './references'
import { resolveAddress, toPath, toPaths } from './resolve-address'
import { resolveCredentials } from './resolve-credentials'
import { resolveIdentity } from './resolve-identity'
import { resolveProbe } from './resolve-probe'

const MAX_CERTIFICATES_BYTES = 1024 * 1024

/**
 * One provider of the file with what the catalog knows of it, its secrets and files read; or
 * `undefined` once its problems have been reported.
 */
export async function resolveProvider(
  name: string,
  given: ProviderFields,
  rows: readonly ProviderRow[],
  source: ReferenceSource,
  report: Report
): Promise<ProviderConfiguration | undefined> {
  let failed = false
  const reportField: FieldReport = (field, details) => {
    failed = true
    report(['providers', name, ...toFieldPath(field)], details)
  }
  const { credentials } = given
  const resolved = credentials
    ? await resolveCredentials(given, credentials, reportField, (one, reportOne) =>
        resolveReach(name, one, true, rows, source, reportOne)
      )
    : await resolveReach(name, given, false, rows, source, reportField)
  return failed ? undefined : resolved
}

/** Places in a list are numbers. */
function toFieldPath(field: string): (string | number)[] {
  if (field === '') return []
  const [first = '', second, ...others] = field.split('/')
  if (second === undefined) return [first]
  return [first, first === 'credentials' ? Number(second) : second, ...others]
}

/** The same with one key or identity, one of several or all there is. What it reports makes the result void. */
async function resolveReach(
  name: string,
  given: ProviderFields,
  isOneOfSeveral: boolean,
  rows: readonly ProviderRow[],
  source: ReferenceSource,
  reportField: FieldReport
): Promise<ProviderConfiguration | undefined> {
  const row = findRow(name, given, rows, reportField)
  if (row === undefined) return undefined
  const address = await resolveAddress(given, row, source, reportField)
  if (address === undefined) return undefined
  const url = new URL(address.baseUrl)
  const [apiKey, proxy, caPem, headers] = await Promise.all([
    isOneOfSeveral && given.api_key === undefined
      ? undefined
      : readApiKey(given, row, source, reportField),
    readProxy(given, url, source, reportField),
    readCertificates(given, source, reportField),
    readHeaders(given, source, reportField),
  ])
  const region = address.variables.get('region')
  const identity = await resolveIdentity(given, row, { apiKey, region }, source, reportField)
  const baseUrl = url.href.replace(/\/+$/, '')
  return {
    name,
    catalogName: row.documentUrl === '' ? undefined : row.name,
    family: row.family,
    region,
    baseUrl,
    // What is exchanged for a token is not sent itself.
    apiKey: identity ? undefined : apiKey,
    apiKeyPlace: toKeyPlace(given, row),
    identity,
    credentials: [],
    aliases: given.aliases,
    passesCallerKey: given.api_key === 'caller',
    models: [...new Set([...Object.keys(given.aliases), ...given.models, ...row.models])],
    modelList: given.model_list ? toListPlace(row, baseUrl) : undefined,
    proxy,
    caPem,
    headers: { ...row.headers, ...headers },
    deadlines: {
      connectMs: given.deadlines.connect,
      firstByteMs: given.deadlines.first_byte,
      betweenFramesMs: given.deadlines.between_frames,
      totalMs: given.deadlines.total,
    },
    privateAddresses: given.private_addresses ?? (row.local || isPrivateHost(url.hostname)),
    probe: given.probe && resolveProbe(given.probe, toListPlace(row, baseUrl), reportField),
    passthrough: {
      isEnabled: given.passthrough.enabled,
      paths: given.passthrough.paths,
      priceNanoUsd: given.passthrough.price,
    },
    retryOnReset: given.retry_on_reset,
    includeUsage: given.include_usage ?? row.quirks.includeUsage,
    quirks: toQuirks(row.quirks, given),
    protocols: given.protocols ?? row.protocols,
    // A configuration that names the formats means all the models.
    modelFormats: given.protocols ? [] : (row.modelFormats ?? []),
    paths: toPaths({ ...row.paths, ...given.paths }, baseUrl, address.variables),
    anthropicBeta: given.anthropic_beta,
    cachePrompts: given.cache_prompts === 'off' ? undefined : given.cache_prompts,
  }
}

function toQuirks(
  { keepsNoResponses, ...quirks }: ProviderQuirks,
  { keeps_responses: keepsResponses = keepsNoResponses !== true }: ProviderFields
): ProviderQuirks {
  return { ...quirks, ...(!keepsResponses && { keepsNoResponses: true }) }
}

function findRow(
  name: string,
  given: ProviderFields,
  rows: readonly ProviderRow[],
  report: FieldReport
): ProviderRow | undefined {
  const type = given.type ?? name
  const family = PROVIDER_FAMILIES.find((known) => known === type)
  // A protocol at another address is any compatible host: it has none of the models of the
  // protocol's maker, and must never be sent the maker's key by default.
  // What runs on one's own machine has neither.
  const isOwn = rows.some((known) => known.name === type && known.local)
  if (family !== undefined && given.base_url !== undefined && name !== type && !isOwn) {
    return {
      name,
      title: name,
      family,
      baseUrl: given.base_url,
      apiKeyEnv: undefined,
      ...identityOf(given),
      local: false,
      protocols: FAMILY_PROTOCOLS[family],
      quirks: { includeUsage: true },
      models: [],
      documentUrl: '',
      checked: '',
    }
  }
  const row = rows.find((known) => known.name === type)
  if (row !== undefined) return row
  const names = rows.map((known) => known.name)
  const known = { allowed: names.join(', '), nearest: nearestName(type, names) }
  if (given.type !== undefined) {
    const message = 'is neither a catalog name nor a protocol, or the protocol has no base_url'
    report('type', { message, ...known })
  } else {
    const fix =
      'for any other compatible host write type: openai (or anthropic, gemini, bedrock), base_url and api_key'
    report('', { message: 'is not in the catalog and has no type', ...known, fix, atKey: true })
  }
  return undefined
}

/** A compatible host that is given an identity has one. */
function identityOf(given: ProviderFields): Pick<ProviderRow, 'identity'> {
  const identity = IDENTITIES.find((kind) => given[kind] !== undefined)
  return identity === undefined ? {} : { identity }
}

function toKeyPlace(given: ProviderFields, row: ProviderRow): ProviderRow['apiKeyPlace'] {
  if (given.api_key_header === undefined) return row.apiKeyPlace
  return { kind: 'header', name: given.api_key_header.toLowerCase() }
}

function toListPlace(row: ProviderRow, baseUrl: string): ModelListPlace | undefined {
  if (row.modelList === false) return undefined
  const { path, shape } = row.modelList ?? { path: undefined, shape: row.family }
  const listPath = path ?? FAMILY_MODEL_LISTS[row.family]
  return listPath === undefined ? undefined : { path: toPath(listPath, baseUrl), shape }
}

async function readApiKey(
  given: ProviderFields,
  row: ProviderRow,
  source: ReferenceSource,
  report: FieldReport
): Promise<string | undefined> {
  if (given.api_key === 'none' || given.api_key === 'caller') return undefined
  if (given.api_key !== undefined) {
    const expansion = await expandReferences(given.api_key, source)
    if (expansion.ok) return expansion.text
    report('api_key', expansion.details)
    return undefined
  }
  const key = row.apiKeyEnv === undefined ? undefined : source.env[row.apiKeyEnv]
  if (!key && (row.local || (row.identity !== undefined && row.identity !== 'ibm')))
    return undefined
  if (row.apiKeyEnv === undefined) {
    const allowed = '${ENV_NAME}, ${file:PATH}, caller, or none for a host that wants no key'
    report('api_key', { message: 'is missing', allowed })
    return undefined
  }
  const expansion = await expandReferences(`\${${row.apiKeyEnv}}`, source)
  if (expansion.ok) return expansion.text
  const message = `is left out and ${expansion.details.message.replace('refers to', 'means')}`
  report('api_key', { ...expansion.details, message })
  return undefined
}

async function readProxy(
  given: ProviderFields,
  url: URL,
  source: ReferenceSource,
  report: FieldReport
): Promise<string | undefined> {
  if (given.proxy === 'none') return undefined
  if (given.proxy === undefined) return chooseEnvironmentProxy(url, source.env)
  const password = /^[a-z]+:\/\/[^/?#]*?:([^/?#]*)@/i.exec(given.proxy)?.[1]
  if (password !== undefined && !/^\$\{[^{}]+\}$/.test(password)) {
    const fix = 'write http://${PROXY_USER}:${PROXY_PASSWORD}@HOST:PORT'
    report('proxy', { message: 'holds a password, which does not belong in the file', fix })
    return undefined
  }
  const expansion = await expandReferences(given.proxy, source)
  if (!expansion.ok) report('proxy', expansion.details)
  else if (/^https?:$/.test(URL.parse(expansion.text)?.protocol ?? '')) return expansion.text
  else report('proxy', { message: 'is not valid', allowed: 'none, or an http(s):// address' })
  return undefined
}

async function readCertificates(
  given: ProviderFields,
  source: ReferenceSource,
  report: FieldReport
): Promise<string | undefined> {
  if (given.ca === undefined) return undefined
  const file = await readText(resolve(source.directory, given.ca), MAX_CERTIFICATES_BYTES)
  if (!file.ok) report('ca', { message: `names a file that ${file.reason}` })
  else if (file.text.includes('-----BEGIN CERTIFICATE-----')) return file.text
  else report('ca', { message: 'names a file without a PEM certificate' })
  return undefined
}

async function readHeaders(
  given: ProviderFields,
  source: ReferenceSource,
  report: FieldReport
): Promise<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const [header, written] of Object.entries(given.headers)) {
    const name = header.toLowerCase()
    const expansion = await expandReferences(written, source)
    if (!expansion.ok) report(`headers/${header}`, expansion.details)
    else if (Object.hasOwn(headers, name)) {
      report(`headers/${header}`, { message: 'is there twice, in another case', atKey: true })
    } else headers[name] = expansion.text
  }
  return headers
}
