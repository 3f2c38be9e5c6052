/** What became of something that the other format can't say as it was. */
export type Loss = {
  /** Where it stands, e.g. `seed`, `tools.2`, `messages.3.content.1.cache_control`. */
  field: string
  kind: 'dropped' | 'clamped' | 'rewritten' | 'estimated'
}

const MAX_LOSSES = 64

/** Collects what a translation loses; each field and kind once. */
export class Losses {
  readonly #losses = new Map<string, Loss>()

  drop(field: string): void {
    this.#add(field, 'dropped')
  }

  /** A number that was brought within the other format's limits. */
  clamp(field: string): void {
    this.#add(field, 'clamped')
  }

  /** The same thing said in another way, which may not mean quite the same. */
  rewrite(field: string): void {
    this.#add(field, 'rewritten')
  }

  /** A number of the answer that nobody counted. */
  estimate(field: string): void {
    this.#add(field, 'estimated')
  }

  get list(): readonly Loss[] {
    return [...this.#losses.values()]
  }

  get isEmpty(): boolean {
    return this.#losses.size === 0
  }

  #add(field: string, kind: Loss['kind']): void {
    if (this.#losses.size < MAX_LOSSES) this.#losses.set(`${field} ${kind}`, { field, kind })
  }
}

/** Clients take some kilobytes of headers in all. */
const MAX_LENGTH = 2_000

/**
 * As a header: a list of structured fields, `seed;dropped, temperature;clamped` (RFC 9651). One that grows too long
 * ends with how many more there are: `*more;count=7`.
 */
export function renderLosses(losses: readonly Loss[]): string {
  let text = ''
  for (const [index, { field, kind }] of losses.entries()) {
    const next = `${toToken(field)};${kind}`
    if (text.length + next.length > MAX_LENGTH)
      return `${text}, *more;count=${losses.length - index}`
    text += text === '' ? next : `, ${next}`
  }
  return text
}

/** A token may hold none of the characters that a name chosen by a client may. */
function toToken(field: string): string {
  const token = field.replaceAll(/[^A-Za-z0-9!#$%&'*+.^_`|~:/-]/g, '_').slice(0, 120)
  return /^[A-Za-z*]/.test(token) ? token : `*${token}`
}
