import { findBytes } from '../std/bytes'
import { readJsonString } from '../std/json-scan'
import { endOfJsonValue, firstJsonElement, nextJsonElement, walkJsonObject } from '../std/json-walk'

/** What tells one conversation from another, as far as a chat's body says it. */
export type ConversationPrefix = {
  /** What the client calls it for the sake of prompt caches; `undefined` for nothing. */
  readonly cacheKey: string | undefined
  /** A hash, 32 bits, of what every turn begins with: instructions and all up to the first user turn. */
  readonly hash: number
  /** No turn but the user's first is there. */
  readonly isFirstTurn: boolean
}

/** Where turns stand, in the formats of OpenAI, Anthropic, Cohere, Ollama and Bedrock, of Responses and of Gemini. */
const TURNS = ['messages', 'input', 'contents'] as const
/** What stands beside them and is the same in each turn. */
const INSTRUCTIONS = ['system', 'instructions', 'systemInstruction', 'system_instruction'] as const
const CACHE_KEY = 'prompt_cache_key'
const READ = [...TURNS, ...INSTRUCTIONS, CACHE_KEY] as const

const OPEN_BRACE = 0x7b

const CACHE_KEY_BYTES = Buffer.from(`"${CACHE_KEY}"`)

/**
 * One of these stands in every body with a turn that is not the user's: roles of most formats, items of Responses, and
 * all of Gemini, whose word for the role is elsewhere a member's name.
 */
const ANSWER_MARKS = ['assistant"', '"function_call', '"contents"'].map((text) => Buffer.from(text))

/** A chat's body certainly has no turn but the user's first, and no name for caches: found out in no time. */
export function isPlainFirstTurn(body: Uint8Array): boolean {
  return (
    findBytes(body, CACHE_KEY_BYTES) < 0 && !ANSWER_MARKS.some((mark) => findBytes(body, mark) >= 0)
  )
}

/**
 * The conversation that a chat's body belongs to, which must be JSON; `undefined` where it has no turns. Bytes are
 * hashed as they are: a client writes the same turns the same way each time, as prompt caches want it. `seed` keeps
 * those apart that must never be one.
 */
export function readConversation(body: Uint8Array, seed: number): ConversationPrefix | undefined {
  const reading = new Reading(body, seed)
  const mayHaveKey = findBytes(body, CACHE_KEY_BYTES) >= 0
  walkJsonObject(body, body.indexOf(OPEN_BRACE), READ, (name, valueAt) => {
    reading.take(name, valueAt)
    // Most of a body lies behind the first turn, and nothing else is read there.
    return mayHaveKey || !reading.hasTurns
  })
  return reading.prefix()
}

class Reading {
  readonly #body: Uint8Array
  #hash: number
  #isFirstTurn = true
  #cacheKey: string | undefined
  hasTurns = false

  constructor(body: Uint8Array, seed: number) {
    this.#body = body
    this.#hash = seed
  }

  take(name: (typeof READ)[number], valueAt: number): void {
    if (name === CACHE_KEY) this.#cacheKey = this.#text(valueAt)
    else if (name === 'messages' || name === 'input' || name === 'contents')
      this.#takeTurns(valueAt)
    else this.#add(valueAt, endOfJsonValue(this.#body, valueAt))
  }

  prefix(): ConversationPrefix | undefined {
    if (!this.hasTurns && this.#cacheKey === undefined) return undefined
    return { cacheKey: this.#cacheKey, hash: this.#hash, isFirstTurn: this.#isFirstTurn }
  }

  #takeTurns(start: number): void {
    const body = this.#body
    let elementAt = firstJsonElement(body, start)
    // Responses take a text in the place of turns.
    if (elementAt === undefined && body[start] === 0x22)
      return this.#addTurns(start, endOfJsonValue(body, start))
    while (elementAt !== undefined) {
      const isUsers = this.#roleOf(elementAt) === 'user'
      if (this.hasTurns && !isUsers) {
        this.#isFirstTurn = false
        return
      }
      const end = endOfJsonValue(body, elementAt)
      if (isUsers && !this.hasTurns) this.#addTurns(start, end)
      elementAt = nextJsonElement(body, end)
    }
  }

  /** Gemini's contents may have none, and are the user's then. */
  #roleOf(elementAt: number): string | undefined {
    let role: string | undefined
    if (this.#body[elementAt] !== OPEN_BRACE) return role
    walkJsonObject(this.#body, elementAt, ['role', 'parts'], (name, valueAt) => {
      role = name === 'role' ? this.#text(valueAt) : 'user'
      return name !== 'role'
    })
    return role
  }

  #text(valueAt: number): string | undefined {
    return readJsonString(this.#body, { start: valueAt, end: endOfJsonValue(this.#body, valueAt) })
  }

  #addTurns(start: number, end: number): void {
    this.#add(start, end)
    this.hasTurns = true
  }

  #add(start: number, end: number): void {
    this.#hash = Bun.hash.xxHash32(this.#body.subarray(start, end), this.#hash)
  }
}
