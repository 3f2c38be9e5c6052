import type { Generation, Message, Part } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { asList, get, NO_SIGNATURE, ownObject } from './members'
import { renderPart, renderResult } from './parts-render'

export type Conversation = {
  systemInstruction: JsonObject | undefined
  contents: JsonObject[]
}

/** Models of the third generation and later: they check signatures, and take media in results. */
export function isGemini3(model: string): boolean {
  return /(^|\/)gemini-([3-9]|[1-9]\d)/.test(model)
}

/**
 * Writes the turns of a conversation; losses are told by the turn's place, e.g. `messages.3.content.1`. System turns
 * that lead become the instruction, later ones turns of the user; adjacent turns of one role become one.
 * https://ai.google.dev/api/caching#Content
 */
export function renderConversation(
  { messages }: Generation,
  model: string,
  losses: Losses
): Conversation {
  const first = messages.findIndex(({ role }) => role !== 'system')
  // A conversation must have a turn: instructions alone are asked as one.
  const lead = first < 0 ? 0 : first
  const writer = new ContentsWriter(isGemini3(model), losses)
  messages.forEach((message, index) => {
    if (index >= lead) writer.write(message, `messages.${index}`)
  })
  return {
    systemInstruction: renderSystem(messages.slice(0, lead), losses),
    contents: writer.end(),
  }
}

function renderSystem(messages: readonly Message[], losses: Losses): JsonObject | undefined {
  const parts = messages.flatMap((message, index) => {
    const path = `messages.${index}`
    if (message.name !== undefined) losses.drop(`${path}.name`)
    return message.parts.flatMap((part, at) =>
      renderSystemPart(part, `${path}.content.${at}`, losses)
    )
  })
  const [only] = messages
  const own = messages.length === 1 ? ownObject(only?.source) : undefined
  if (own) return withParts(own, parts)
  return parts.length > 0 ? { parts } : undefined
}

function renderSystemPart(part: Part, path: string, losses: Losses): JsonObject[] {
  const isTaken = part.type === 'text' || ownObject(part.source) !== undefined
  if (!isTaken || part.type === 'tool_result') {
    losses.drop(path)
    return []
  }
  if (isEmptyText(part)) return []
  const rendered = renderPart(part, path, losses)
  return rendered ? [rendered] : []
}

/** Google refuses empty texts beside others; one of its own passes. */
function isEmptyText(part: Part): boolean {
  return (
    part.type === 'text' &&
    part.text === '' &&
    part.signature?.maker !== 'google' &&
    ownObject(part.source) === undefined
  )
}

/** The turn as it came, unless its parts were edited since. */
function withParts(own: JsonObject, parts: JsonObject[]): JsonObject {
  const before = Array.isArray(own.parts) ? own.parts : own.parts === undefined ? [] : [own.parts]
  const isSame =
    before.length === parts.length && before.every((part, index) => part === parts[index])
  return isSame ? own : { ...own, parts }
}

class ContentsWriter {
  readonly #checksSignatures: boolean
  readonly #losses: Losses
  readonly #contents: JsonObject[] = []
  /** The names of the calls so far, by their ids. */
  readonly #names = new Map<string, string>()
  /** The turn that goes on when the next one has its role. */
  #open: { role: string; parts: JsonObject[] } | undefined

  constructor(checksSignatures: boolean, losses: Losses) {
    this.#checksSignatures = checksSignatures
    this.#losses = losses
  }

  write(message: Message, path: string): void {
    if (message.role === 'system') this.#losses.rewrite(path)
    if (message.name !== undefined) this.#losses.drop(`${path}.name`)
    const parts = message.parts.flatMap((part, index) =>
      this.#part(part, `${path}.content.${index}`)
    )
    const own = ownObject(message.source)
    if (own) {
      this.#close()
      this.#contents.push(withParts(own, parts))
      return
    }
    if (parts.length === 0) return
    const role = message.role === 'assistant' ? 'model' : 'user'
    if (this.#open?.role === role) this.#open.parts.push(...parts)
    else {
      this.#close()
      this.#open = { role, parts }
    }
  }

  end(): JsonObject[] {
    this.#close()
    return this.#contents
  }

  #part(part: Part, path: string): JsonObject[] {
    if (part.type === 'tool_result') {
      const name = this.#names.get(part.callId)
      const options = { name: part.name ?? name, takesMedia: this.#checksSignatures }
      return renderResult(part, path, options, this.#losses)
    }
    if (part.type === 'tool_call') this.#names.set(part.id, part.name)
    if (isEmptyText(part)) return []
    const rendered = renderPart(part, path, this.#losses)
    return rendered ? [rendered] : []
  }

  #close(): void {
    if (this.#open === undefined) return
    const { role, parts } = this.#open
    this.#contents.push({ role, parts: this.#checksSignatures ? withSignature(parts) : parts })
    this.#open = undefined
  }
}

/**
 * The first call of each step must be signed. One that another model made, or whose signature was lost, has Google's
 * word for that. https://ai.google.dev/gemini-api/docs/thought-signatures
 */
function withSignature(parts: JsonObject[]): JsonObject[] {
  const first = parts.findIndex((part) => get(part, 'functionCall') !== undefined)
  return parts.map((part, index) =>
    index === first && get(part, 'thoughtSignature') === undefined
      ? { ...part, thoughtSignature: NO_SIGNATURE }
      : part
  )
}

/** The turns are those of the template, each as it came. */
export function hasContents(template: JsonObject, contents: readonly JsonObject[]): boolean {
  const listed = Array.isArray(template.contents) ? asList(template.contents) : [template.contents]
  return (
    listed.length === contents.length &&
    contents.every((content, index) => content === listed[index])
  )
}
