/**
 * Hosts whose documents know the limit of an answer by its older name alone, as LiteLLM's own list of their parameters has
 * it: https://github.com/BerriAI/litellm/tree/main/litellm/llms
 */
export const OLDER_LIMIT = { max_completion_tokens: 'max_tokens' } as const
