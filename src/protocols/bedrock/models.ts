/**
 * Whose model an id names, since some members of a request are a maker's own. Ids are those of models
 * (`anthropic.claude-…`), of inference profiles (`us.anthropic.claude-…`) or ARNs that end in one of them.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html
 */

/** A model of Anthropic's. */
export function isAnthropicModel(id: string): boolean {
  return /anthropic|claude/i.test(id)
}

/** A model of Amazon's Nova family. */
export function isNovaModel(id: string): boolean {
  return /(^|[./])amazon\.nova/i.test(id)
}

/** A model of OpenAI's with open weights. */
export function isOpenAiModel(id: string): boolean {
  return /(^|[./])openai\./i.test(id)
}
