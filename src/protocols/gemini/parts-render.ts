import type { Part, Signature, ToolCallPart, ToolResultPart } from '../generation'
import type { JsonObject, JsonValue } from '../json'
import type { Losses } from '../losses'
import { renderMedia } from './media'
import { asObject, getText, ownObject } from './members'
import { isWrapper } from './parts'

/**
 * One part of a turn, its own JSON where it came from this format; `undefined`, and reported at `path`, where the
 * format has no way to say it. Results of calls are not among them: `renderResult` writes those.
 * https://ai.google.dev/api/caching#Part
 */
export function renderPart(
  part: Exclude<Part, ToolResultPart>,
  path: string,
  losses: Losses
): JsonObject | undefined {
  const own = ownObject(part.source)
  if (own) return part.type === 'tool_call' ? signAgain(own, part.signature) : own
  if (part.type === 'native') return drop(path, losses)
  if (part.type === 'media') {
    const media = renderMedia(part, path, losses)
    return media && sign(media, part.signature, path, losses)
  }
  if (part.cache) losses.drop(`${path}.cache_control`)
  if (part.type === 'tool_call')
    return sign(renderCall(part, path, losses), part.signature, path, losses)
  if (part.type === 'refusal') {
    losses.rewrite(path)
    return { text: part.text }
  }
  if (part.type === 'text') {
    if (part.citations && part.citations.length > 0) losses.drop(`${path}.citations`)
    return sign({ text: part.text }, part.signature, path, losses)
  }
  return renderThought(part, path, losses)
}

function drop(path: string, losses: Losses): undefined {
  losses.drop(path)
  return undefined
}

function renderThought(
  part: Extract<Part, { type: 'reasoning' }>,
  path: string,
  losses: Losses
): JsonObject | undefined {
  const { text, signature, encrypted } = part
  // What only another provider can read.
  if (text === '' && signature?.maker !== 'google') return drop(path, losses)
  if (encrypted) losses.drop(`${path}.encrypted`)
  if (part.id !== undefined) losses.drop(`${path}.id`)
  if (part.isSummary !== undefined) losses.drop(`${path}.is_summary`)
  return sign({ text, thought: true }, signature, path, losses)
}

function sign(
  json: JsonObject,
  signature: Signature | undefined,
  path: string,
  losses: Losses
): JsonObject {
  if (signature === undefined) return json
  if (signature.maker === 'google') return { ...json, thoughtSignature: signature.value }
  // Google refuses what it did not sign.
  losses.drop(`${path}.signature`)
  return json
}

/** A call whose signature its client dropped, and that was found again. */
function signAgain(own: JsonObject, signature: Signature | undefined): JsonObject {
  if (signature?.maker !== 'google' || getText(own, 'thoughtSignature') !== undefined) return own
  return { ...own, thoughtSignature: signature.value }
}

/** `functionCall`; what the model wrote in place of a JSON object stands in one, so that it can't pass for no arguments. */
function renderCall(part: ToolCallPart, path: string, losses: Losses): JsonObject {
  const { id, name } = part
  if (part.isCustom) {
    losses.rewrite(path)
    return { functionCall: { id, name, args: { input: part.arguments } } }
  }
  const args = part.arguments.trim() === '' ? {} : asObject(parseJson(part.arguments))
  if (args === undefined) losses.rewrite(`${path}.arguments`)
  return { functionCall: { id, name, args: args ?? { arguments: part.arguments } } }
}

function parseJson(text: string): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

export type ResultOptions = {
  /** The name of the call that it answers, where one is known. */
  name: string | undefined
  /** The model takes media in results (Gemini 3); else they stand behind the result. */
  takesMedia: boolean
}

/**
 * The result of a call, and behind it what stood in it and has no place there.
 * https://ai.google.dev/api/caching#FunctionResponse
 */
export function renderResult(
  part: ToolResultPart,
  path: string,
  options: ResultOptions,
  losses: Losses
): JsonObject[] {
  const own = ownObject(part.source)
  if (own) return [own]
  if (part.cache) losses.drop(`${path}.cache_control`)
  const texts: string[] = []
  const media: JsonObject[] = []
  part.parts.forEach((inner, index) => {
    const innerPath = `${path}.content.${index}`
    if (inner.type === 'text' && ownObject(inner.source) === undefined) {
      texts.push(inner.text)
      if (inner.cache) losses.drop(`${innerPath}.cache_control`)
      if (inner.citations && inner.citations.length > 0) losses.drop(`${innerPath}.citations`)
      if (inner.signature) losses.drop(`${innerPath}.signature`)
      // Texts become one, and stand before the media.
      if (texts.length > 1 || media.length > 0) losses.rewrite(path)
    } else {
      const rendered = renderPart(inner, innerPath, losses)
      if (rendered) media.push(rendered)
    }
  })
  const named = options.name ?? part.name
  if (named === undefined) losses.rewrite(`${path}.name`)
  const isMoved = media.length > 0 && !options.takesMedia
  if (isMoved) losses.rewrite(path)
  const response = {
    id: part.callId,
    name: named ?? part.callId,
    response: renderResponse(texts, part.isError === true, media.length > 0),
    ...(media.length > 0 && !isMoved && { parts: media }),
  }
  return [{ functionResponse: response }, ...(isMoved ? media : [])]
}

/**
 * A text that is a JSON object goes as one where it is read back the same, all others in the member that the
 * documentation names for them.
 */
function renderResponse(texts: readonly string[], isError: boolean, hasMedia: boolean): JsonObject {
  const text = texts.join('\n')
  if (isError) return { error: text }
  if (texts.length === 0 && hasMedia) return {}
  const object = text.startsWith('{') ? asObject(parseJson(text)) : undefined
  if (object === undefined || JSON.stringify(object) !== text) return { output: text }
  const names = Object.keys(object)
  const isWrapped = names.length === 1 && names.some(isWrapper)
  return isWrapped || names.length === 0 ? { output: text } : object
}
