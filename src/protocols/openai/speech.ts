import { readJsonString } from '../../std/json-scan'
import type { Protocol } from '../protocol'
import { MediaFrameReader } from './media-frames'
import { createOpenaiProtocol } from './openai-protocol'
import { invalid, parseRequest, scanMembers } from './request'
import { toMediaUsage } from './usage'

/** What is said at a quarter of the usual speed, the slowest that may be asked for. */
const MOST_TOKENS_A_CHARACTER = 6

/**
 * About 15 characters are spoken a second, and a minute takes 1,250 tokens: what OpenAI says a minute of gpt-4o-mini-tts
 * costs, by its rate of tokens. https://platform.openai.com/docs/pricing
 */
const TOKENS_A_CHARACTER = 1_250 / 60 / 15

/** POST /v1/audio/speech: https://platform.openai.com/docs/api-reference/audio/createSpeech */
export const openaiSpeech: Protocol = createOpenaiProtocol({
  name: 'openai-speech',
  operation: 'speech',
  path: '/audio/speech',
  answers: 'file',
  parseRequest(body, route) {
    const { found } = scanMembers(body, ['input', 'stream_format'])
    const text = found.input && readJsonString(body, found.input)
    if (text === undefined) throw invalid('input', 'must be the text to speak')
    const format = found.stream_format && readJsonString(body, found.stream_format)
    // A character is what a person would count as one at least.
    const characters = [...text].length
    return {
      ...parseRequest('speech', body, route),
      stream: format === 'sse',
      includesUsage: true,
      outputLimit: characters * MOST_TOKENS_A_CHARACTER,
      units: { characters },
    }
  },
  parseAnswer: () => ({ usage: undefined, finishReasons: [] }),
  createFrameReader: () => new MediaFrameReader(({ usage }) => toMediaUsage(usage)),
})

/** About how many tokens of sound a text comes to. */
export function toSpokenTokens(characters: number): number {
  return Math.ceil(characters * TOKENS_A_CHARACTER)
}
