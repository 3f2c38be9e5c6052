/**
 * Headers by which hosts of OpenAI's formats keep a conversation where its prompt is cached:
 * https://docs.x.ai/developers/advanced-api-usage/prompt-caching/maximizing-cache-hits,
 * https://docs.fireworks.ai/guides/prompt-caching
 */
export const AFFINITY_HINTS = ['x-grok-conv-id', 'x-session-affinity'] as const
