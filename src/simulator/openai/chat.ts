import { CREATED_SECONDS } from '../created'
import type { Call, Frame } from '../protocol'
import { fingerprint } from '../seed'
import { type ChatAnswer, type ChatChoice, type ChatHead, chooseAnswer } from './chat-choice'
import { type ChatRequest, chatRequestSchema, promptTokens, textOf } from './chat-request'
import { chatFrames } from './chat-frames'
import { postEndpoint, refuse, usageOf } from './endpoint'
import { hostOf } from './hosts'

/** `POST /v1/chat/completions`, whole and streamed. */
export const chatEndpoint = postEndpoint(chatRequestSchema, (request, call) => {
  if (request.stream_options && call.quirks.refusesStreamOptions)
    return refuse("Unknown parameter: 'stream_options'.", 'stream_options', 'unknown_parameter')
  const failure = hostOf(call.model).refuse(request)
  if (failure) return { kind: 'refused', failure }
  const choices: ChatChoice[] = []
  for (let index = 0; index < (request.n ?? 1); index++) {
    const choice = chooseAnswer(request, call, index)
    if (!choice) return refuse('The forced function is not among the tools.', 'tool_choice')
    choices.push(choice)
  }
  const tokens = choices.reduce((sum, choice) => sum + choice.tokens, 0)
  const thoughts = choices.reduce((sum, choice) => sum + choice.thoughts.length, 0)
  const answer = {
    head: headOf(request, call),
    choices,
    usage: usageOf(promptTokens(request), tokens, thoughts),
    usageQuirk: call.quirks.usage,
  }
  if (request.stream !== true) return { kind: 'whole', text: wholeText(answer), tokens }
  const includeUsage = request.stream_options?.include_usage === true
  const frames: Iterable<Frame> = { [Symbol.iterator]: () => chatFrames(answer, includeUsage) }
  return { kind: 'stream', frames }
})

function headOf(request: ChatRequest, { model }: Call): ChatHead {
  const conversation = request.messages.map((message) => `${message.role}: ${textOf(message)}`)
  return {
    id: `chatcmpl-sim-${fingerprint(`${model}\n${conversation.join('\n')}`)}`,
    created: CREATED_SECONDS,
    model,
  }
}

function wholeText({ head, choices, usage, usageQuirk }: ChatAnswer): string {
  return JSON.stringify({
    id: head.id,
    object: 'chat.completion',
    created: head.created,
    model: head.model,
    choices: choices.map((choice, index) => ({
      index,
      message: messageOf(choice),
      logprobs: null,
      finish_reason: choice.kind === 'text' ? choice.finishReason : 'tool_calls',
    })),
    ...(usageQuirk === 'omitted' ? {} : { usage }),
    service_tier: 'default',
    system_fingerprint: 'fp_simulator',
  })
}

function messageOf(choice: ChatChoice) {
  const { thoughts } = choice
  const thought = thoughts.length > 0 ? { reasoning_content: thoughts.join('') } : {}
  if (choice.kind === 'text') {
    const content = [...choice.pieces].join('')
    return { role: 'assistant', content, ...thought, refusal: null, annotations: [] }
  }
  const calls = choice.calls.map(({ id, name, argumentPieces }) => ({
    id,
    type: 'function',
    function: { name, arguments: argumentPieces.join('') },
  }))
  return {
    role: 'assistant',
    content: null,
    ...thought,
    tool_calls: calls,
    refusal: null,
    annotations: [],
  }
}
