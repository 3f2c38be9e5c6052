/** One item of each sequence after the other, round after round, until all have ended. */
export function* inTurns<T>(sequences: Iterable<T>[]): Generator<{ index: number; item: T }> {
  let running = sequences.map((sequence, index) => ({
    index,
    iterator: sequence[Symbol.iterator](),
  }))
  while (running.length > 0) {
    const ended = new Set<number>()
    for (const { index, iterator } of running) {
      const next = iterator.next()
      if (next.done) ended.add(index)
      else yield { index, item: next.value }
    }
    if (ended.size > 0) running = running.filter(({ index }) => !ended.has(index))
  }
}
