import type { UpstreamPath } from './configuration'
import type { FieldReport } from './problem'
import type { ProviderFields } from './provider-fields'
import {
  type PathOverride,
  type ProviderRow,
  URL_VARIABLES,
  type UrlVariableName,
  type WireFormat,
} from './provider-row'
import { expandReferences, type ReferenceSource } from './references'

export type Address = {
  /** Without variables. */
  readonly baseUrl: string
  readonly variables: ReadonlyMap<UrlVariableName, string>
}

/**
 * Where a provider is: the file's base URL or the catalog's, its variables filled in from the file, the environment or
 * the catalog. `undefined` once what is missing has been reported.
 */
export async function resolveAddress(
  given: ProviderFields,
  row: ProviderRow,
  source: ReferenceSource,
  report: FieldReport
): Promise<Address | undefined> {
  const variables = new Map<UrlVariableName, string>()
  for (const name of URL_VARIABLES) {
    const value = await readVariable(name, given, row, source, report)
    if (value !== undefined) variables.set(name, value)
  }
  const template = given.base_url ?? rowBaseUrl(row, variables)
  const filled = fill(template, variables)
  // Ollama's own API is beside its /v1, which is what most people know its address by.
  const baseUrl = row.family === 'ollama' ? filled.replace(/\/v1\/?$/, '') : filled
  const missing = /\{([a-z_]+)\}/.exec(baseUrl)?.[1]
  if (missing === undefined && URL.canParse(baseUrl)) return { baseUrl, variables }
  const name = URL_VARIABLES.find((known) => known === missing)
  const variable = name && row.variables?.[name]
  if (missing === undefined) report('', { message: `has no valid address: ${baseUrl}` })
  else if (variable)
    report(missing, {
      message: `is missing: ${variable.what}`,
      fix: variable.env[0] === undefined ? 'write it' : `write it, or set ${variable.env[0]}`,
    })
  else report('base_url', { message: `holds {${missing}}, which nothing says` })
  return undefined
}

/** The path behind a base URL: what the URL ends in, a version above all, is not said twice. */
export function toPath(path: string, baseUrl: string): string {
  const segments = new URL(baseUrl).pathname.split('/').filter((segment) => segment !== '')
  for (let from = 0; from < segments.length; from++) {
    const end = `/${segments.slice(from).join('/')}`
    if (path.startsWith(`${end}/`)) return path.slice(end.length)
  }
  if (!/\/v\d+[a-z0-9]*$/.test(baseUrl)) return path
  return path.replace(/^\/v\d+[a-z0-9]*(?=\/)/, '')
}

/** Paths of formats with everything filled in but `{model}`. */
export function toPaths(
  overrides: Readonly<Partial<Record<WireFormat, PathOverride | undefined>>>,
  baseUrl: string,
  variables: Address['variables']
): Partial<Record<WireFormat, UpstreamPath>> {
  const paths: Partial<Record<string, UpstreamPath>> = {}
  const done = (path: string) => toPath(fill(path, variables), baseUrl)
  for (const [format, override] of Object.entries(overrides)) {
    if (override === undefined) continue
    const { whole, stream } =
      typeof override === 'string' ? { whole: override, stream: override } : override
    paths[format] = { whole: done(whole), stream: done(stream) }
  }
  return paths
}

function rowBaseUrl(row: ProviderRow, variables: Address['variables']): string {
  for (const [name, value] of variables) {
    const elsewhere = row.variables?.[name]?.baseUrls?.[value]
    if (elsewhere !== undefined) return elsewhere
  }
  return row.baseUrl
}

async function readVariable(
  name: UrlVariableName,
  given: ProviderFields,
  row: ProviderRow,
  source: ReferenceSource,
  report: FieldReport
): Promise<string | undefined> {
  const variable = row.variables?.[name]
  const written = given[name]
  if (written === undefined) {
    const set = variable?.env.find((env) => source.env[env])
    return (set === undefined ? undefined : source.env[set]) ?? variable?.standard
  }
  const expansion = await expandReferences(written, source)
  if (expansion.ok) return expansion.text
  report(name, expansion.details)
  return undefined
}

function fill(template: string, variables: Address['variables']): string {
  let filled = template
  for (const [name, value] of variables) filled = filled.replaceAll(`{${name}}`, value)
  return filled
}
