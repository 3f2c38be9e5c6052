/** The upstream's paths: what stands before `/v1/chat/completions`. */
export const LANES = {
  fast: '',
  slow: '/slow',
  slow500: '/slow500',
  sse: '/sse',
} as const

export type Lane = keyof typeof LANES
