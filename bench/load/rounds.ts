import type { Contender, Running } from './contenders'
import type { Lab } from './lab'

export type Rounds<T> = ReadonlyMap<string, readonly T[]>

/**
 * Measures each contender once a round, alone and warm: what the machine does to one round, its neighbours
 * share. Results are by contender, in the order of the rounds.
 */
export async function inRounds<T>(
  lab: Lab,
  rounds: number,
  contenders: readonly Contender[],
  steps: {
    warm(running: Running): Promise<unknown>
    measure(running: Running): Promise<T>
    describe(result: T): string
  }
): Promise<Rounds<T>> {
  const results = new Map<string, T[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const contender of contenders) {
      const running = await contender.start()
      try {
        await steps.warm(running)
        const result = await steps.measure(running)
        results.get(contender.name)?.push(result)
        lab.say(`  ${round}/${rounds} ${contender.name}: ${steps.describe(result)}`)
      } finally {
        await running.stop()
      }
    }
  }
  return results
}

/** One number of each round of a contender. */
export function each<T>(rounds: Rounds<T>, name: string, read: (result: T) => number): number[] {
  return (rounds.get(name) ?? []).map(read)
}

/** Two contenders' numbers of the same round, put together. */
export function eachPair<T>(
  rounds: Rounds<T>,
  [one, other]: [string, string],
  read: (result: T) => number,
  combine: (one: number, other: number) => number
): number[] {
  const others = each(rounds, other, read)
  return each(rounds, one, read).map((value, round) => combine(value, others[round] ?? NaN))
}
