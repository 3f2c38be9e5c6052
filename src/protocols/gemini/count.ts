import { countOf } from '../../std/record'
import type { ChatTarget } from '../chat-protocol'
import type { CountCodec } from '../count-protocol'
import type { Generation } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { renderPath, toResourceName } from './request'
import { renderGeneration } from './request-render'

/** POST models/NAME:countTokens: https://ai.google.dev/api/tokens */
export const geminiCount: CountCodec = {
  name: 'gemini-count',
  path: ({ model, baseUrl }) => renderPath('countTokens', model, baseUrl),
  renderRequest: renderCount,
  parse: (answer) => countOf(answer, 'totalTokens'),
  render: (totalTokens) => ({ totalTokens }),
}

/**
 * The turns alone where there is nothing else, which all hosts take; else the whole request with its tools and
 * instruction, in the member that Google has for it.
 */
function renderCount(generation: Generation, target: ChatTarget, losses: Losses): JsonObject {
  const { contents, ...rest } = renderGeneration(generation, target, losses)
  const isPlain = rest.systemInstruction === undefined && rest.tools === undefined
  if (isPlain) return { contents }
  return {
    generateContentRequest: { ...rest, model: toResourceName(target.model), contents },
  }
}
