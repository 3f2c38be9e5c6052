import type { ModelCard } from '../models/model-card'
import { bodyNeeds, NEEDS, type Need } from '../protocols/body-needs'
import type { Envelope } from '../protocols/envelope'

/** Needs as bits, in the order of `NEEDS`. */
type NeedSet = number

/** What a request wants of a model, each thing found out when it is first asked for. */
export class RequestNeeds {
  readonly envelope: Envelope
  readonly #boundTokens: () => number
  #asked: NeedSet = 0
  #wanted: NeedSet = 0
  #estimatedTokens: number | undefined

  /** `boundTokens` gives the most tokens that its input can be (`boundInput`). */
  constructor(envelope: Envelope, boundTokens: () => number) {
    this.envelope = envelope
    this.#boundTokens = boundTokens
    // What else is asked of models than to answer is asked of those alone that are made for it.
    if (envelope.operation !== 'generate' && envelope.operation !== 'count') this.#asked = ALL_NEEDS
  }

  has(need: Need): boolean {
    return this.among(1 << NEEDS.indexOf(need)) !== 0
  }

  /** Those of `needs` that the request has. */
  among(needs: NeedSet): NeedSet {
    const unasked = needs & ~this.#asked
    if (unasked !== 0) this.#find(unasked)
    return needs & this.#wanted
  }

  #find(unasked: NeedSet): void {
    for (const [at, need] of NEEDS.entries()) {
      const bit = 1 << at
      if ((unasked & bit) !== 0 && bodyNeeds(this.envelope.body, need)) this.#wanted |= bit
    }
    this.#asked |= unasked
  }

  /** About what the input will be: text has some four bytes a token, and the bound counts each byte as one. */
  estimatedTokens(): number {
    return (this.#estimatedTokens ??= Math.ceil(this.#boundTokens() / BYTES_A_TOKEN))
  }
}

const ALL_NEEDS: NeedSet = (1 << NEEDS.length) - 1
const BYTES_A_TOKEN = 4

function wordsOf(needs: NeedSet): string {
  return NEEDS.filter((_, at) => (needs & (1 << at)) !== 0)
    .map((need) => WORDS[need])
    .join(', ')
}

const WORDS: Readonly<Record<Need, string>> = {
  tools: 'it can call no tools',
  vision: 'it takes no images',
  schema: 'it can answer by no JSON schema',
  'pdf-input': 'it takes no files',
  'audio-input': 'it takes no audio',
  'video-input': 'it takes no video',
}

/** What a model is known not to be able to do; nothing for one whose abilities nobody says. */
function gapsOf(card: ModelCard): NeedSet {
  const known = gaps.get(card)
  if (known !== undefined) return known
  const { abilities } = card
  let found: NeedSet = 0
  for (const [at, need] of NEEDS.entries())
    if (abilities !== undefined && !abilities.includes(need)) found |= 1 << at
  gaps.set(card, found)
  return found
}

const gaps = new WeakMap<ModelCard, NeedSet>()

/**
 * Why a model can't do what a request wants, in words; `undefined` where it can, or nobody says. `outputLimit` is what
 * the target's own parameters allow.
 */
export function findUnmet(
  needs: RequestNeeds,
  card: ModelCard | undefined,
  outputLimit: number | undefined
): string | undefined {
  if (card === undefined) return undefined
  const unmet = needs.among(gapsOf(card))
  if (unmet !== 0) return wordsOf(unmet)
  const { contextTokens, maxOutputTokens } = card
  const { body } = needs.envelope
  // What has fewer bytes than the window has tokens fits whatever it is.
  if (contextTokens !== undefined && body.length > contextTokens) {
    const tokens = needs.estimatedTokens()
    if (tokens > contextTokens)
      return `its window is ${contextTokens} tokens, and the input is about ${tokens}`
  }
  if (maxOutputTokens !== undefined && outputLimit !== undefined && outputLimit > maxOutputTokens)
    return `it answers with at most ${maxOutputTokens} tokens, and ${outputLimit} are asked for`
  return undefined
}
