import { EQUIVALENTS_VERSION, MODELS, TIERS } from './table'

/** A model that may be asked in the place of another. */
export type Proposal = {
  /** The catalog's name of the host. */
  readonly host: string
  /** What it calls the model; the first that a list knows. */
  readonly names: readonly string[]
  /** Why, for people. */
  readonly reason: string
}

/**
 * Models that may be asked in the place of one of a host, the nearest first: the same at other hosts, then others of its
 * tier. Empty for a model that the table does not have.
 */
export function proposeEquivalents(host: string, model: string): readonly Proposal[] {
  const id = idsByName().get(nameKey(host, model))
  if (id === undefined) return []
  const proposals = proposalsOf(id, 'the same model')
  for (const [tier, ids] of Object.entries(TIERS)) {
    if (!ids.includes(id)) continue
    for (const other of ids)
      if (other !== id) proposals.push(...proposalsOf(other, `of the same tier, ${tier}`))
  }
  return proposals.filter((proposal) => proposal.host !== host)
}

function proposalsOf(id: string, why: string): Proposal[] {
  const reason = `${why} (table of ${EQUIVALENTS_VERSION})`
  return Object.entries(MODELS[id] ?? {}).map(([host, names]) => ({
    host,
    names: typeof names === 'string' ? [names] : names,
    reason,
  }))
}

let known: ReadonlyMap<string, string> | undefined

function idsByName(): ReadonlyMap<string, string> {
  if (known !== undefined) return known
  const ids = new Map<string, string>()
  for (const [id, hosts] of Object.entries(MODELS))
    for (const [host, names] of Object.entries(hosts))
      for (const name of typeof names === 'string' ? [names] : names)
        ids.set(nameKey(host, name), id)
  return (known = ids)
}

/**
 * A host's name of a model without what only says which making of it: a region before it, a day or a revision behind
 * it. https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
 */
function nameKey(host: string, model: string): string {
  const bare = model
    .replace(/^(us|us-gov|eu|apac|au|jp|ca|global)\./, '')
    .replace(/@.*$/, '')
    .replace(/-v\d+(:\d+)?$/, '')
    .replace(/-20\d\d-?\d\d-?\d\d$/, '')
  return `${host}/${bare}`
}
