import { resolve } from 'node:path'
import { nearestName } from '../std/nearest-name'
import type { ProblemDetails } from './problem'
import { readText } from './read-text'

/** Where references lead: read again on each load, so a reload sees a changed secret. */
export type ReferenceSource = {
  env: Readonly<Record<string, string | undefined>>
  /** What `${file:PATH}` and other paths in the file are relative to. */
  directory: string
}

export type Expansion = { ok: true; text: string } | { ok: false; details: ProblemDetails }

/** One reference and nothing else. */
export const REFERENCE_PATTERN = /^\$\{[^{}]+\}$/

const MAX_SECRET_BYTES = 64 * 1024
const REFERENCE_FORMS = '${ENV_NAME} or ${file:PATH}'

/**
 * `text` with each `${ENV_NAME}` and `${file:PATH}` replaced by what it stands for. What comes
 * out can stand in an HTTP header: printable ASCII, nothing that could end a line; unless it is a
 * `document`, which may hold anything.
 */
export async function expandReferences(
  text: string,
  source: ReferenceSource,
  kind: 'header' | 'document' = 'header'
): Promise<Expansion> {
  let expanded = ''
  let at = 0
  for (const match of text.matchAll(/\$\{([^{}]*)\}?/g)) {
    const part = await readReference(match[0], match[1] ?? '', source, kind)
    if (!part.ok) return part
    expanded += text.slice(at, match.index) + part.text
    at = match.index + match[0].length
  }
  return { ok: true, text: expanded + text.slice(at) }
}

async function readReference(
  reference: string,
  name: string,
  source: ReferenceSource,
  kind: 'header' | 'document'
): Promise<Expansion> {
  if (!reference.endsWith('}')) return refuse('holds a reference that is not closed by }')
  const expansion = name.startsWith('file:')
    ? await readSecretFile(name.slice('file:'.length), source.directory)
    : readVariable(name, source.env)
  if (!expansion.ok || kind === 'document' || /^[\x20-\x7e]*$/.test(expansion.text))
    return expansion
  return refuse(`refers to ${reference}, whose value has line breaks or other than printable ASCII`)
}

function readVariable(name: string, env: ReferenceSource['env']): Expansion {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return refuse('holds a reference of unknown form')
  const text = env[name]
  if (text !== undefined && text !== '') return { ok: true, text }
  const state = text === undefined ? 'not set' : 'empty'
  return {
    ok: false,
    details: {
      message: `refers to the environment variable ${name}, which is ${state}`,
      nearest: nearestName(name, Object.keys(env)),
      fix: `set ${name} where the program is started`,
    },
  }
}

async function readSecretFile(path: string, directory: string): Promise<Expansion> {
  const file = await readText(resolve(directory, path), MAX_SECRET_BYTES)
  if (!file.ok) {
    return { ok: false, details: { message: `refers to the file ${path}, which ${file.reason}` } }
  }
  const text = file.text.replace(/\r?\n$/, '')
  if (text !== '') return { ok: true, text }
  return { ok: false, details: { message: `refers to the file ${path}, which is empty` } }
}

function refuse(message: string): Expansion {
  return { ok: false, details: { message, allowed: REFERENCE_FORMS } }
}
