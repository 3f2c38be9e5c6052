import type { ModelCard } from '../models/model-card'
import { bodyNeeds, NEEDS, type Need } from '../protocols/body-needs'
import type { Envelope } from '../protocols/envelope'

/** What a request wants of a model, each thing found out when it is first asked for. */
export class RequestNeeds {
  readonly #envelope: Envelope
  readonly #boundTokens: () => number
  readonly #known = new Map<Need, boolean>()
  #estimatedTokens: number | undefined

  /** `boundTokens` gives the most tokens that its input can be (`boundInput`). */
  constructor(envelope: Envelope, boundTokens: () => number) {
    this.#envelope = envelope
    this.#boundTokens = boundTokens
  }

  get envelope(): Envelope {
    return this.#envelope
  }

  has(need: Need): boolean {
    const known = this.#known.get(need)
    if (known !== undefined) return known
    const { operation, body } = this.#envelope
    const found = operation !== 'embed' && bodyNeeds(body, need)
    this.#known.set(need, found)
    return found
  }

  /** About what the input will be: text has some four bytes a token, and the bound counts each byte as one. */
  estimatedTokens(): number {
    return (this.#estimatedTokens ??= Math.ceil(this.#boundTokens() / BYTES_A_TOKEN))
  }
}

const BYTES_A_TOKEN = 4

const WORDS: Readonly<Record<Need, string>> = {
  tools: 'it can call no tools',
  vision: 'it takes no images',
  schema: 'it can answer by no JSON schema',
  'pdf-input': 'it takes no files',
  'audio-input': 'it takes no audio',
  'video-input': 'it takes no video',
}

/** What a model is known not to be able to do; nothing for one whose abilities nobody says. */
function gapsOf({ abilities }: ModelCard): readonly Need[] {
  return abilities === undefined ? [] : NEEDS.filter((need) => !abilities.includes(need))
}

const gaps = new WeakMap<ModelCard, readonly Need[]>()

function knownGaps(card: ModelCard): readonly Need[] {
  const known = gaps.get(card)
  if (known !== undefined) return known
  const found = gapsOf(card)
  gaps.set(card, found)
  return found
}

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
  for (const need of knownGaps(card)) if (needs.has(need)) return WORDS[need]
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
