import { z } from 'zod'
import { CREATED_SECONDS } from '../created'
import type { Call, Frame } from '../protocol'
import { fingerprint } from '../seed'
import { countTokens } from '../tokens'
import { answerText, type Pieces, piecesOf } from '../answer-text'
import { inTurns } from '../in-turns'
import { DONE_FRAME, postEndpoint, refuse, sseFrame, usageOf } from './endpoint'

const requestSchema = z.looseObject({
  prompt: z.union([
    z.string(),
    z.array(z.string()).min(1),
    z.array(z.int()).min(1),
    z.array(z.array(z.int())).min(1),
  ]),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  n: z.int().min(1).max(128).nullish(),
  max_tokens: z.int().min(1).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  echo: z.boolean().nullish(),
})

type CompletionRequest = z.infer<typeof requestSchema>
type Completion = { head: ReturnType<typeof headOf>; choices: Pieces[] }

/** `POST /v1/completions`, the API before chat: one choice for each prompt and each of `n`. */
export const completionsEndpoint = postEndpoint(requestSchema, (request, call) => {
  if (request.stream_options && call.quirks.refusesStreamOptions)
    return refuse("Unknown parameter: 'stream_options'.", 'stream_options', 'unknown_parameter')
  const prompts = promptsOf(request.prompt)
  const choices = prompts.flatMap(({ text }) =>
    Array.from({ length: request.n ?? 1 }, (_, index) => choiceOf(request, call, text, index))
  )
  const tokens = choices.reduce((sum, choice) => sum + choice.tokens, 0)
  const promptTokens = prompts.reduce((sum, prompt) => sum + prompt.tokens, 0)
  const completion = { head: headOf(prompts, call), choices }
  const usage = call.quirks.usage === 'omitted' ? undefined : usageOf(promptTokens, tokens)
  if (request.stream !== true) return { kind: 'whole', text: wholeText(completion, usage), tokens }
  const asked = request.stream_options?.include_usage === true ? usage : undefined
  const nullChoices = call.quirks.usage === 'null-choices'
  const frames: Iterable<Frame> = {
    [Symbol.iterator]: () => framesOf(completion, asked, nullChoices),
  }
  return { kind: 'stream', frames }
})

function promptsOf(prompt: CompletionRequest['prompt']): { text: string; tokens: number }[] {
  const prompts = typeof prompt === 'string' ? [prompt] : prompt
  const numbers = prompts.filter((item) => typeof item === 'number')
  if (numbers.length > 0) return [{ text: numbers.join(' '), tokens: numbers.length }]
  return prompts.flatMap((item) => {
    if (typeof item === 'string') return [{ text: item, tokens: countTokens(item) }]
    return Array.isArray(item) ? [{ text: item.join(' '), tokens: item.length }] : []
  })
}

function choiceOf(request: CompletionRequest, call: Call, prompt: string, index: number): Pieces {
  const stop = request.stop ?? []
  const pieces = piecesOf(answerText(prompt, index), {
    tokens: call.tokens,
    maxTokens: request.max_tokens ?? undefined,
    stop: typeof stop === 'string' ? [stop] : stop,
    filler: call.quirks.filler,
  })
  return request.echo === true ? { ...pieces, pieces: [prompt, ...pieces.pieces] } : pieces
}

function headOf(prompts: { text: string }[], { model }: Call) {
  const text = `${model}\n${prompts.map((prompt) => prompt.text).join('\n')}`
  return {
    id: `cmpl-sim-${fingerprint(text)}`,
    object: 'text_completion',
    created: CREATED_SECONDS,
    model,
    system_fingerprint: 'fp_simulator',
  }
}

function wholeText({ head, choices }: Completion, usage: unknown): string {
  const rendered = choices.map(({ pieces, finishReason }, index) =>
    choiceMember([...pieces].join(''), index, finishReason)
  )
  return JSON.stringify({ ...head, choices: rendered, usage })
}

function* framesOf(
  { head, choices }: Completion,
  usage: unknown,
  nullChoices: boolean
): Generator<Frame> {
  const noUsageYet = usage === undefined ? {} : { usage: null }
  for (const { index, item } of inTurns(choices.map(({ pieces }) => pieces))) {
    const chunk = { ...head, choices: [choiceMember(item, index, null)], ...noUsageYet }
    yield sseFrame('content', chunk, 1)
  }
  for (const [index, { finishReason }] of choices.entries()) {
    const chunk = { ...head, choices: [choiceMember('', index, finishReason)], ...noUsageYet }
    yield sseFrame('finish', chunk)
  }
  if (usage !== undefined)
    yield sseFrame('usage', { ...head, choices: nullChoices ? null : [], usage })
  yield DONE_FRAME
}

function choiceMember(text: string, index: number, finishReason: string | null) {
  return { text, index, logprobs: null, finish_reason: finishReason }
}
