import { bench, do_not_optimize } from 'mitata'

export type Piece = { name: string; budgetMicros: number; register(): void }

export type PieceOptions<Input> = {
  /** What is done once per call. */
  work: string
  /** What the median of a call may take. */
  budgetMicros: number
  /** Gives each call an input of its own: a constant one is folded away, and reports picoseconds. */
  fresh(): Input
  run(input: Input): unknown
}

/** A bench whose name states its budget. */
export function createPiece<Input>(options: PieceOptions<Input>): Piece {
  const { work, budgetMicros, fresh, run } = options
  const name = `${work} (budget ${budgetMicros} µs)`
  return {
    name,
    budgetMicros,
    register() {
      bench(name, function* () {
        yield { [0]: fresh, bench: (input: Input) => do_not_optimize(run(input)) }
      })
    },
  }
}

/** As `createPiece`, for work that is awaited. */
export function createAsyncPiece<Input>(options: PieceOptions<Input>): Piece {
  const { work, budgetMicros, fresh, run } = options
  const name = `${work} (budget ${budgetMicros} µs)`
  return {
    name,
    budgetMicros,
    register() {
      bench(name, function* () {
        yield { [0]: fresh, bench: async (input: Input) => do_not_optimize(await run(input)) }
      })
    },
  }
}

/** Gives the items in turn, for ever. */
export function inTurn<Item>(items: readonly Item[]): () => Item {
  let next = 0
  return () => {
    const item = items[next++ % items.length]
    if (item === undefined) throw new Error('there is nothing to give')
    return item
  }
}
