// A name this long is no slip of the finger, and the table below grows with its square.
const MAX_NAME_CHARACTERS = 100

/**
 * The one of `known` that `name` was most likely meant to be, or `undefined` when none is near:
 * a third of the longer name may differ, and one of two equally near names is the earlier.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  if (name.length > MAX_NAME_CHARACTERS) return undefined
  let nearest: string | undefined
  let nearestDistance = Infinity
  for (const candidate of known) {
    if (candidate === name || candidate.length > MAX_NAME_CHARACTERS) continue
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    const allowance = Math.max(1, Math.floor(Math.max(name.length, candidate.length) / 3))
    if (distance > allowance || distance >= nearestDistance) continue
    nearest = candidate
    nearestDistance = distance
  }
  return nearest
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = from[row - 1] === to[column - 1] ? 0 : 1
      let cost = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + replaced
      )
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (swapped && row > 1 && column > 1) cost = Math.min(cost, at(beforeLast, column - 2) + 1)
      current.push(cost)
    }
    beforeLast = last
    last = current
  }
  return at(last, to.length)
}

function at(row: number[], column: number): number {
  return row[column] ?? Infinity
}
