import { accumulate } from '../accumulate'
import type { TokenLogprob } from '../answer'
import type { Citation, Part } from '../generation'
import type { JsonObject } from '../json'
import type { StreamEvent } from '../stream-event'
import { renderAnnotation, renderLogprob } from './content'
import { type ItemKind, kindOf } from './item-kinds'
import { openItem, ownItem, type Place, renderOutputItem } from './output'

/** Writes an event of a response's stream, numbered. */
export type Emit = (type: string, members: JsonObject) => void

type PartEvent = Extract<StreamEvent, { index: number }>

/** Writes the events of the one item that a part of an answer becomes, from its opening to its end. */
export class ItemWriter {
  readonly #emit: Emit
  readonly #place: Place
  /** The part as it began; what it has come to is put together when it ends. */
  readonly #part: Part
  readonly #events: PartEvent[]
  readonly #tokens: TokenLogprob[] = []
  /** What each event of the item names it by. */
  readonly #named: JsonObject
  #annotations = 0
  #hasContent = false

  /** Opens the item; `item` is what `renderOutputItem` makes of the part. */
  constructor(part: Part, item: JsonObject, place: Place, emit: Emit) {
    this.#part = part
    this.#place = place
    this.#emit = emit
    this.#named = { item_id: item.id, output_index: place.index }
    // Its citations are told one by one, so they are not of the start.
    this.#events = [{ type: 'part_start', choice: 0, index: 0, part: beginning(part) }]
    const opened = ownItem(part) ? item : openItem(item)
    emit('response.output_item.added', { output_index: place.index, item: opened })
    this.#writeBeginning()
  }

  get isText(): boolean {
    return this.#part.type === 'text'
  }

  /** More of what the part is, with the log probabilities of its tokens where it is a text. */
  grow(delta: string, tokens: readonly TokenLogprob[] = []): void {
    this.#events.push({ type: 'delta', choice: 0, index: 0, text: delta })
    if (delta === '' && tokens.length === 0) return
    this.#openContent()
    this.#tokens.push(...tokens)
    const kind = kindOf(this.#part, this.#place.summarizes)
    if (kind === undefined) return
    const logprobs = this.isText && { logprobs: tokens.map(renderLogprob) }
    this.#emit(`response.${kind.name}.delta`, { ...this.#named, ...kind.at, delta, ...logprobs })
  }

  cite(citation: Citation): void {
    const { path, losses } = this.#place
    const count = this.#events.filter(({ type }) => type === 'citation').length
    this.#events.push({ type: 'citation', choice: 0, index: 0, citation })
    const annotation = renderAnnotation(citation, `${path}.citations.${count}`, losses)
    if (annotation === undefined || !this.isText) return
    this.#emit('response.output_text.annotation.added', {
      ...this.#named,
      content_index: 0,
      annotation_index: this.#annotations++,
      annotation,
    })
  }

  /** What becomes known of the part: its signature, its id. */
  note(event: Extract<StreamEvent, { type: 'signature' | 'part_facts' }>): void {
    this.#events.push({ ...event, choice: 0, index: 0 })
  }

  /** Closes the item; gives it as it stands in the whole response. */
  end(): JsonObject {
    const part = this.#toPart()
    const item = renderOutputItem(part, this.#place, this.#tokens) ?? {}
    if (!ownItem(part)) this.#writeEnd(item)
    this.#emit('response.output_item.done', { output_index: this.#place.index, item })
    return item
  }

  /** What the part has come to. As what it was told, it stays. */
  #toPart(): Part {
    const part = accumulate(this.#events).choices[0]?.parts[0] ?? this.#part
    const begun = this.#part
    if (part.type !== 'reasoning' || begun.type !== 'reasoning') return part
    return { ...part, isSummary: begun.isSummary }
  }

  #writeBeginning(): void {
    const part = this.#part
    if (part.type === 'text' || part.type === 'refusal') this.#openContent()
    if (part.type === 'tool_call') this.grow(part.arguments)
    else if ('text' in part) this.grow(part.text)
    if (part.type === 'text') for (const citation of part.citations ?? []) this.cite(citation)
  }

  /** Messages open their content with them, reasoning when there is some. */
  #openContent(): void {
    if (this.#hasContent) return
    this.#hasContent = true
    const kind = kindOf(this.#part, this.#place.summarizes)
    if (kind?.part) this.#emit(`response.${kind.part}.added`, this.#toContent(kind, kind.empty))
  }

  /** The events that tell the whole of what the deltas told in pieces. */
  #writeEnd(item: JsonObject): void {
    const kind = kindOf(this.#part, this.#place.summarizes)
    if (kind === undefined || (kind.part && !this.#hasContent)) return
    const content = kind.read(item)
    const logprobs = this.isText && { logprobs: content?.logprobs }
    this.#emit(`response.${kind.name}.done`, {
      ...this.#named,
      ...kind.at,
      [kind.member]: content?.[kind.member],
      ...logprobs,
    })
    if (kind.part && content)
      this.#emit(`response.${kind.part}.done`, this.#toContent(kind, content))
  }

  #toContent(kind: ItemKind, part: JsonObject): JsonObject {
    return { ...this.#named, ...kind.at, part }
  }
}

/** The part without what its deltas and citations are to bring. */
function beginning(part: Part): Part {
  if (part.type === 'text') return { ...part, text: '', citations: [] }
  if (part.type === 'refusal' || part.type === 'reasoning') return { ...part, text: '' }
  return part.type === 'tool_call' ? { ...part, arguments: '' } : part
}
