import { thinksAdaptivelyOnly, thinksByBudgetOnly } from '../claude-models'
import type { Generation, Reasoning } from '../generation'
import type { JsonObject } from '../json'
import type { Losses } from '../losses'
import { definedOrNothing } from './converse-json'
import { isAnthropicModel, isNovaModel, isOpenAiModel } from './models'

/**
 * How much to think, which every maker has a way of its own to say, in `additionalModelRequestFields`; what that forbids
 * beside it.
 */
export type RenderedReasoning = {
  fields: JsonObject | undefined
  /** Anthropic's models, when they think, choose their words and tools by themselves. */
  isThinking: boolean
  /** Nova at its highest effort sets its own limits. */
  isUnlimited: boolean
}

const NO_REASONING: RenderedReasoning = {
  fields: undefined,
  isThinking: false,
  isUnlimited: false,
}

/** What the model of this id is told about reasoning; reported as `reasoning` where it is not quite the same. */
export function renderReasoning(
  generation: Generation,
  model: string,
  losses: Losses
): RenderedReasoning {
  const { reasoning } = generation
  if (reasoning === undefined) return NO_REASONING
  if (isAnthropicModel(model)) return renderThinking(generation, reasoning, model, losses)
  if (isNovaModel(model)) return renderNova(reasoning, losses)
  const effort = isOff(reasoning) ? undefined : effortOf(reasoning, THREE_LEVELS)
  if (!isOpenAiModel(model) || effort === undefined) {
    losses.drop('reasoning')
    return NO_REASONING
  }
  if (!isSame(reasoning, { effort })) losses.rewrite('reasoning')
  return { ...NO_REASONING, fields: { reasoning_effort: effort } }
}

function isOff({ enabled, effort, budgetTokens }: Reasoning): boolean {
  return enabled === false || effort === 'none' || budgetTokens === 0
}

const NAMES = ['enabled', 'effort', 'budgetTokens', 'summary'] as const

/** What will be read back is what was asked for. */
function isSame(asked: Reasoning, told: Reasoning): boolean {
  return NAMES.every((name) => asked[name] === told[name])
}

/** The levels that a maker knows, for those that others know. */
type Levels = Readonly<Record<string, string>>

const THREE_LEVELS: Levels = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_OutputConfig.html */
const ANTHROPIC_LEVELS: Levels = { ...THREE_LEVELS, xhigh: 'xhigh', max: 'max' }

/** The level asked for, or the one that a budget comes to; `undefined` for neither. */
function effortOf({ effort, budgetTokens }: Reasoning, levels: Levels): string | undefined {
  if (effort !== undefined) return Object.hasOwn(levels, effort) ? levels[effort] : undefined
  if (budgetTokens === undefined) return undefined
  if (budgetTokens < 4_096) return 'low'
  return budgetTokens < 16_384 ? 'medium' : 'high'
}

/** https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html */
function renderNova(reasoning: Reasoning, losses: Losses): RenderedReasoning {
  const told: Reasoning = isOff(reasoning)
    ? { enabled: false }
    : { enabled: true, effort: effortOf(reasoning, THREE_LEVELS) ?? 'medium' }
  if (!isSame(reasoning, told)) losses.rewrite('reasoning')
  const reasoningConfig =
    told.enabled === true
      ? { type: 'enabled', maxReasoningEffort: told.effort }
      : { type: 'disabled' }
  return { ...NO_REASONING, fields: { reasoningConfig }, isUnlimited: told.effort === 'high' }
}

/**
 * https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html: older models want a
 * budget, newer ones decide for themselves and may be told an effort.
 */
function renderThinking(
  generation: Generation,
  reasoning: Reasoning,
  model: string,
  losses: Losses
): RenderedReasoning {
  const told = chooseThinking(generation, reasoning, model)
  if (!isSame(reasoning, told)) losses.rewrite('reasoning')
  const { enabled, effort, budgetTokens } = told
  const fields: JsonObject = {
    thinking: enabled === undefined ? undefined : toThinking(enabled, budgetTokens, told.summary),
    output_config: effort === undefined ? undefined : { effort },
  }
  return { fields: definedOrNothing(fields), isThinking: enabled === true, isUnlimited: false }
}

function toThinking(
  enabled: boolean,
  budgetTokens: number | undefined,
  summary: string | undefined
): JsonObject {
  if (!enabled) return { type: 'disabled' }
  const display = summary === undefined ? {} : { display: DISPLAYS[summary] ?? 'summarized' }
  return budgetTokens === undefined
    ? { type: 'adaptive', ...display }
    : { type: 'enabled', budget_tokens: budgetTokens, ...display }
}

const DISPLAYS: Readonly<Record<string, string>> = { none: 'omitted' }

/** What the model can be told, as it will be read back. */
function chooseThinking(generation: Generation, reasoning: Reasoning, model: string): Reasoning {
  const { enabled, effort, budgetTokens, summary } = reasoning
  if (isOff(reasoning)) return thinksAdaptivelyOnly(model) ? {} : { enabled: false }
  const level = effortOf(reasoning, ANTHROPIC_LEVELS)
  if (thinksByBudgetOnly(model))
    return withBudget(generation, budgetTokens ?? BUDGETS[level ?? 'medium'])
  const shown = summary === undefined ? {} : { summary: summary === 'none' ? 'none' : 'auto' }
  const told = effort === undefined ? {} : { effort: level }
  if (budgetTokens !== undefined && !thinksAdaptivelyOnly(model))
    return { ...withBudget(generation, budgetTokens), ...told, ...shown }
  // To Anthropic an effort says nothing of thinking; to others it is about nothing else.
  const { protocol } = generation.source
  const isApart = protocol === 'anthropic-messages' || protocol === 'bedrock-converse'
  if (enabled === undefined && budgetTokens === undefined && (isApart || level === undefined))
    return told
  return { enabled: true, effort: level, ...shown }
}

/** By effort; https://platform.claude.com/docs/en/build-with-claude/extended-thinking has the limits. */
const BUDGETS: Readonly<Record<string, number>> = {
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768,
}

const MIN_BUDGET = 1_024

/** A budget within the limits. There is none where the answer may not be longer than the least of them. */
function withBudget(generation: Generation, wanted = MIN_BUDGET): Reasoning {
  const { maxTokens = Infinity } = generation
  if (maxTokens <= MIN_BUDGET || hasUnsignedCall(generation)) return {}
  return { enabled: true, budgetTokens: Math.max(MIN_BUDGET, Math.min(wanted, maxTokens - 1)) }
}

/**
 * The conversation stands behind tool calls whose thoughts are gone, e.g. through a client that knows none. A model with
 * a budget refuses to go on thinking there.
 */
function hasUnsignedCall({ messages }: Generation): boolean {
  const last = messages.findLast(({ role }) => role === 'assistant')
  if (
    last === undefined ||
    messages.at(-1)?.parts.some(({ type }) => type === 'tool_result') !== true
  )
    return false
  const isSigned = last.parts.some(
    (part) => part.type === 'reasoning' && (part.signature ?? part.encrypted)?.maker === 'anthropic'
  )
  return !isSigned && last.parts.some(({ type }) => type === 'tool_call')
}
