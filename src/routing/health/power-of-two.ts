/**
 * The cheaper of two candidates that are drawn at random, which spreads load almost as well as looking at all of them and
 * never sends everybody to the same one. `undefined` where there is none. `random` gives [0, 1).
 * https://www.eecs.harvard.edu/~michaelm/postscripts/tpds2001.pdf
 */
export function chooseOfTwo<T>(
  candidates: readonly T[],
  costOf: (candidate: T) => number,
  random: () => number
): T | undefined {
  const count = candidates.length
  if (count < 2) return candidates[0]
  const at = Math.floor(random() * count)
  // Any other than the first, each as likely.
  const other = (at + 1 + Math.floor(random() * (count - 1))) % count
  const [one, two] = [candidates[at], candidates[other]]
  if (one === undefined || two === undefined) return one
  return costOf(two) < costOf(one) ? two : one
}
