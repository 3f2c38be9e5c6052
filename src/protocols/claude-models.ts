// How Claude models are told to think, by their ids, wherever they are hosted.

/** A model that refuses adaptive thinking: Claude 3.7 to 4.5. */
export function thinksByBudgetOnly(id: string): boolean {
  return /claude-3-7|claude-(opus|sonnet|haiku)-4-(20|[015](?![0-9]))/i.test(id)
}

/**
 * A model that refuses a budget, and to have its thinking switched off.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html
 */
export function thinksAdaptivelyOnly(id: string): boolean {
  return /claude-(opus-(4-[7-9]|[5-9])|mythos|fable)/i.test(id)
}

/**
 * A model that goes on from the beginning of its own answer, where it isn't told to think: up to Claude 4.5. Later ones
 * answer 400. https://platform.claude.com/docs/en/about-claude/models/migration-guide
 */
export function takesPrefill(id: string): boolean {
  return /claude-(instant|v?2|3|(opus|sonnet|haiku)-4-(20|[015](?![0-9])))/i.test(id)
}
