/**
 * A small JSON answer that no upstream had part in, with the headers every answer carries. `startedAt` is the
 * monotonic time at which its request came.
 */
export function answerJson(startedAt: number, value: unknown): Response {
  const tookMs = performance.now() - startedAt
  return Response.json(value, {
    headers: {
      'x-request-id': Bun.randomUUIDv7(),
      'server-timing': `gateway;dur=${tookMs.toFixed(2)}`,
    },
  })
}
