import type { Generation, Message, Part } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { asObject, ownJson, ownObject } from './converse-json'
import { DocumentNames } from './media'
import { type BlockContext, renderBlocks, renderText } from './render-parts'
import { withCachePoint } from './tools'

/** The conversation as members of a body. */
export type RenderedMessages = { system: JsonValue[]; messages: JsonValue[] }

type Role = 'user' | 'assistant'

/** The blocks of a part, which stay together. */
type Group = { blocks: JsonValue[]; isResult: boolean }

type Turn = {
  role: Role
  groups: Group[]
  /** Where the first of its messages stands. */
  path: string
  /** The turn that it was read from in this format; `undefined` for one that comes from another. */
  own: JsonObject | undefined
}

/** What is said where a turn must say something and has nothing of its own. */
const FILLER: JsonObject = { text: '.' }

/** What a conversation that the model begins is begun with. */
const OPENING: Turn = {
  role: 'user',
  groups: [{ blocks: [FILLER], isResult: false }],
  path: 'messages',
  own: undefined,
}

/**
 * Writes the turns of a conversation for the model of this id. Turns that came in this format stay as they are. Of
 * others, those of one role that follow each other become one, the first must be a user's, and tools' results lead their
 * turn; losses are told by the turn's place, e.g. `messages.3.content.1`.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html
 */
export function renderMessages(
  { messages, source }: Pick<Generation, 'messages' | 'source'>,
  model: string,
  losses: Losses
): RenderedMessages {
  const names = new DocumentNames()
  const calls = new Map<string, string>()
  const system: JsonValue[] = []
  const turns: Turn[] = []
  let isLeading = true
  messages.forEach((message, index) => {
    const path = `messages.${index}`
    if (message.name !== undefined) losses.drop(`${path}.name`)
    if (isLeading && message.role === 'system' && !ownObject(message.source)) {
      system.push(...renderSystem(message, path, losses))
      return
    }
    isLeading = false
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const turn = renderTurn(message, path, { model, role, names, calls, losses })
    if (turn.own || turn.groups.length > 0) addTurn(turns, turn, losses)
  })
  if (source.protocol !== 'bedrock-converse' && turns[0]?.role !== 'user') {
    losses.rewrite('messages')
    turns.unshift(OPENING)
  }
  return { system, messages: turns.map((turn) => finishTurn(turn, losses)) }
}

function renderTurn(message: Message, path: string, context: BlockContext): Turn {
  const own = ownObject(message.source)
  const { role, losses } = context
  if (message.role === 'system' && !own) {
    // Not every model takes a system turn in the middle.
    losses.rewrite(path)
  }
  const groups: Group[] = []
  message.parts.forEach((part, index) => {
    const blocks = renderBlocks(part, `${path}.content.${index}`, context)
    if (blocks.length > 0) groups.push({ blocks, isResult: part.type === 'tool_result' })
  })
  return { role, groups, path, own }
}

function addTurn(turns: Turn[], turn: Turn, losses: Losses): void {
  const last = turns.at(-1)
  if (last === undefined || last.role !== turn.role || (last.own && turn.own)) {
    turns.push(turn)
    return
  }
  const isLate = turn.groups.some(({ isResult }) => isResult) && last.groups.some(isNoResult)
  if (isLate) losses.rewrite(turn.path)
  last.groups.push(...turn.groups)
}

function isNoResult({ isResult }: Group): boolean {
  return !isResult
}

function finishTurn({ role, groups, path, own }: Turn, losses: Losses): JsonObject {
  if (own) return { ...own, content: groups.flatMap(({ blocks }) => blocks) }
  const results = groups.filter(({ isResult }) => isResult)
  const others = groups.filter(isNoResult)
  if (groups.findLastIndex(({ isResult }) => isResult) >= results.length) losses.rewrite(path)
  const content = [...results, ...others].flatMap(({ blocks }) => blocks)
  if (content.some(isDocument) && !content.some(isText)) {
    // A document is refused where no words go with it.
    losses.rewrite(path)
    content.push(FILLER)
  }
  return { role, content }
}

function isDocument(block: JsonValue): boolean {
  return asObject(block)?.document !== undefined
}

function isText(block: JsonValue): boolean {
  return asObject(block)?.text !== undefined
}

/** Instructions are text alone. */
function renderSystem({ parts }: Message, path: string, losses: Losses): JsonValue[] {
  return parts.flatMap((part, index) => renderSystemPart(part, `${path}.content.${index}`, losses))
}

function renderSystemPart(part: Part, path: string, losses: Losses): JsonValue[] {
  const own = ownJson(part.source)
  if (own !== undefined) return withCachePoint(own, part.cache)
  if (part.type !== 'text') {
    losses.drop(path)
    return []
  }
  const [block] = renderText(part, path, losses)
  if (block !== undefined) return withCachePoint(block, part.cache)
  if (part.cache) losses.drop(`${path}.cache_control`)
  return []
}
